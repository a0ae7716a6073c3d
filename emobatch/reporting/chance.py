"""The control for chance, laid out for the page."""

from __future__ import annotations

from emobatch.errors import OptionError
from emobatch.evaluation.draws import LEVEL
from emobatch.evaluation.metrics import HEADLINE
from emobatch.fusion.control import DRAWS, SHUFFLED, control
from emobatch.fusion.description import Table, Value
from emobatch.fusion.labelled import labelled_rows
from emobatch.fusion.method import Method
from emobatch.reporting.described import Grid, grid
from emobatch.tables.label_column import checked_column
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.labels import LabelMap

TITLE = (
    f"Gain, points; {SHUFFLED}: mean and {LEVEL} % interval of {DRAWS} draws in which the text of "
    "each row is that of another"
)


def chance(
    table: ScoreTable, method: Method | None, label_column: str | None, label_map: LabelMap
) -> Grid:
    """Decide the labelled rows of a report with text shuffled, and lay out what that gains.

    Args:
        table: the final table.
        method: of the thresholds file, None where none was given.
        label_column: column that holds the labels; None for the one that `score` was told of,
            else ``label``.
        label_map: extends the alias table of labels.

    Returns:
        A table with a row for each figure.

    Raises:
        OptionError: if there is no method that reads text.
        EmobatchError: if there are no labelled rows, or a gate left text out.
    """
    if method is None or not method.reads_text:
        raise OptionError(
            "--control: decides rows again with text shuffled; give with -t the thresholds file of "
            "a method that reads text"
        )
    column = checked_column([table], label_column, label_map, method.task.labels)
    found = control(labelled_rows(table, method.task, column, label_map).rows, method)
    rows = []
    for name in HEADLINE:
        low, high = found.interval(name)
        rows.append((name, Value(found.gain[name]), Value(found.mean(name), 2, low, high)))
    return grid(Table(TITLE, ("figure", "gain", SHUFFLED), tuple(rows)))
