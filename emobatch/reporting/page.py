"""One HTML file that needs nothing beside it and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from emobatch.tables import reading
from emobatch.tables.visible import visible

FOLDER = "templates"
# Of all pages.
STYLE = "report.css"


def render(template: str, contents: Mapping[str, Any]) -> str:
    """Fill a template of the package.

    Text is escaped by Jinja wherever it comes from, and its control characters are shown. Should
    anything slip through all the same, the page's policy keeps it from running and from being sent
    anywhere: only the script whose digest it names may run, and nothing may be loaded.

    Args:
        template: its name without extensions; its script, if it has one, has the same name.
        contents: what the template names.

    Returns:
        The page.
    """
    script, css = _packaged(f"{template}.js"), _packaged(STYLE) or ""
    runs = "'none'" if script is None else f"'{_digest(script)}'"
    return (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(
            **contents,
            script=Markup(script or ""),
            css=Markup(css),
            policy="; ".join(
                (
                    "default-src 'none'",
                    "img-src data:",
                    "media-src data:",
                    # Matplotlib writes colours as style attributes, which have no digest to name.
                    "style-src 'unsafe-inline'",
                    f"script-src {runs}",
                    "base-uri 'none'",
                    "form-action 'none'",
                )
            ),
        )
    )


@cache
def _environment() -> Environment:
    # Compiles each template once.
    return Environment(
        loader=PackageLoader("emobatch.reporting", FOLDER),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def title(sources: Sequence[str]) -> str:
    """Name the tables that a page is about.

    Args:
        sources: names of files, ``-`` for standard input.

    Returns:
        The first one's name, and how many more there are.

    Examples:
        >>> title(["a/fold_1.csv", "a/fold_2.csv"])
        'fold_1.csv and 1 more'
    """
    first = Path(reading.spoken(sources[0])).name
    return first + (f" and {len(sources) - 1} more" if len(sources) > 1 else "")


def sentence(note: str) -> str:
    """Write a note as a page has it.

    Args:
        note: as it is logged.

    Returns:
        The same with a capital and a full stop.

    Examples:
        >>> sentence("labels: sad 2")
        'Labels: sad 2.'
    """
    return note[:1].upper() + note[1:] + ("" if note.endswith(".") else ".")


def _shown(value: Any) -> Any:
    # What is markup already was made of values that were shown.
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _packaged(name: str) -> str | None:
    file = files("emobatch.reporting").joinpath(FOLDER, name)
    return file.read_text(encoding="utf-8").strip() + "\n" if file.is_file() else None


def _digest(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
