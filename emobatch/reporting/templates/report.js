// Sorts and searches the table of changed rows. Without it the table is there all the same.
"use strict";
(() => {
  const table = document.getElementById("changes");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const headers = [...table.tHead.rows[0].cells];
  const status = document.getElementById("matches");
  const input = document.getElementById("search");

  const search = (wanted) => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      row.hidden = !words.every((word) => texts[number].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    status.textContent = `${shown} of ${rows.length} rows`;
  };

  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    return headers[column].classList.contains("number") ? parseFloat(text) : text.toLowerCase();
  };

  const sort = (column, direction) => {
    const empty = (key) => key === "" || Number.isNaN(key);
    const keyed = rows.map((row, number) => ({ row, number, key: value(row, column) }));
    keyed.sort((a, b) => {
      // Rows without a value come last whichever way; equal ones stay in the table's order.
      if (empty(a.key) || empty(b.key)) return empty(a.key) - empty(b.key) || a.number - b.number;
      if (a.key === b.key) return a.number - b.number;
      return (a.key < b.key ? -1 : 1) * direction;
    });
    body.append(...keyed.map((entry) => entry.row));
    headers.forEach((header) => header.removeAttribute("aria-sort"));
    headers[column].setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  };

  headers.forEach((header, column) => {
    if (header.classList.contains("heard")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      sort(column, header.getAttribute("aria-sort") === "ascending" ? -1 : 1);
    });
  });
  input.addEventListener("input", () => search(input.value));
  document.getElementById("tools").hidden = false;

  // A link may bring a search and an order along: #search=happy&sort=-entropy
  const asked = new URLSearchParams(location.hash.slice(1));
  input.value = asked.get("search") ?? "";
  search(input.value);
  const order = asked.get("sort") ?? "";
  const column = headers.findIndex((header) => header.textContent === order.replace(/^-/, ""));
  if (column >= 0) sort(column, order.startsWith("-") ? -1 : 1);
})();
