"""What is shown to a person: tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, JustifyMethod
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from emobatch.cli.echo import printing
from emobatch.cli.verbosity import is_quiet
from emobatch.tables.visible import visible

if TYPE_CHECKING:
    import polars as pl

    from emobatch.scoring.verification import Verification

# Wide enough for every table here when the output is a file, which has no width of its own.
FILE_WIDTH = 120
LINE_WIDTH = 10_000
# As much of a digest and a revision as tells two of them apart.
DIGEST_SHOWN = len("sha256:") + 12
REVISION_SHOWN = 8


class PlainConsole(Console):
    """Prints text as text, whatever is in it: no markup, no names of emoji, no control characters.

    Every string that is printed, also the cells, headings and titles of tables, comes through
    :meth:`render_str`; what may break lines is given as :class:`rich.text.Text`.
    """

    def __init__(self, *, stderr: bool, width: int | None) -> None:
        """Open a console.

        Args:
            stderr: whether it writes to standard error, else to standard output.
            width: characters to a line, None for those of the terminal.
        """
        super().__init__(
            stderr=stderr,
            width=width,
            quiet=stderr and is_quiet(),
            highlight=False,
            markup=False,
            emoji=False,
        )

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, and say where that can't be done.

        Args:
            objects: what to print.
            options: rich's own.

        Raises:
            OutputError: see :func:`emobatch.cli.echo.printing`.
        """
        with printing(err=self.stderr):
            super().print(*objects, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Show control characters.

        Args:
            text: to be printed.
            options: rich's own.

        Returns:
            What is printed.
        """
        return super().render_str(visible(text), **options)


def console(*, stderr: bool) -> Console:
    """Open a console that doesn't wrap tables when it writes to a file.

    Args:
        stderr: whether it writes to standard error, else to standard output.

    Returns:
        The console.
    """
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return PlainConsole(stderr=stderr, width=None if terminal else FILE_WIDTH)


def show_changes(rows: pl.DataFrame) -> None:
    """Print to standard output rows in which the text branch changed the answer.

    Args:
        rows: see :func:`emobatch.demo.walkthrough.changed_rows`.
    """
    out = console(stderr=False)
    table = Table(
        "what was said", "meant", "speech says", "text says", "final", box=box.SIMPLE_HEAD
    )
    for said, meant, speech, sentiment, emotion in rows.iter_rows():
        verdict = "right" if emotion == meant else "wrong"
        table.add_row(said, meant, speech, sentiment, f"{emotion} ({verdict})")
    out.print("Where the text branch changed the answer, for instance:")
    out.print(table)


def show_models(listed: Mapping[str, Mapping[str, Any]]) -> None:
    """Print to standard output what is on this machine of the models that a run would need.

    Args:
        listed: see :func:`emobatch.models.survey.survey`.
    """
    table = Table.grid(padding=(0, 2))
    for branch, entry in listed.items():
        if entry["folder"] is None:
            table.add_row(branch, entry["name"], "not here")
            continue
        size, digest = decimal(entry["bytes"]), entry["digest"][:DIGEST_SHOWN]
        revision = (entry["revision"] or "a folder")[:REVISION_SHOWN]
        table.add_row(branch, entry["name"], revision, size, digest, entry["folder"])
    # One line each, however long: to be read by grep and cut as well.
    PlainConsole(stderr=False, width=LINE_WIDTH).print(table, soft_wrap=True)


def show_verification(result: Verification) -> None:
    """Print to standard output what `verify` found.

    Args:
        result: rows scored again, and what differed.
    """
    out = console(stderr=False)
    for each in result.differences:
        out.print(
            f"{each.id}: {each.column}: {each.again}"
            if each.column == "error"
            else f"{each.id}: {each.column} is {each.table!r}, scored again {each.again!r}",
            soft_wrap=True,
        )
    out.print(
        f"{result.rows} of {result.ok_rows} scored rows were scored again, one at a time: "
        f"{len(result.differences)} values differ; probabilities by {result.largest:.1g} at most, "
        f"{result.tolerance:g} is allowed",
        soft_wrap=True,
    )


def metrics_table(stages: Mapping[str, Mapping[str, float] | None]) -> Table:
    """Lay out UA, WA and F1 of several stages, or the CCC of attributes.

    Args:
        stages: UA, WA and F1 in percent by stage, else CCC by attribute; a stage without figures is
            left out.

    Returns:
        The table.
    """
    from emobatch.evaluation.metrics import HEADLINE  # with Polars, which `models` does without

    names = list(dict.fromkeys(name for figures in stages.values() for name in figures or ()))
    percent = set(names) <= set(HEADLINE)
    table = plain_table("%" if percent else "CCC", *names)
    shape = ".2f" if percent else ".3f"
    for stage, figures in stages.items():
        if figures:
            cells = (format(figures[name], shape) if name in figures else "-" for name in names)
            table.add_row(stage, *cells)
    return table


def plain_table(*columns: str, left: Collection[int] = (0, 5)) -> Table:
    """Begin a table without lines between its columns.

    Args:
        columns: their headings.
        left: places of the columns that are flush left.

    Returns:
        A table without rows.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        justify: JustifyMethod = "left" if number in left else "right"
        table.add_column(column, justify=justify, no_wrap=number == 0)
    return table
