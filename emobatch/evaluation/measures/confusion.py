"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from emobatch.evaluation.figure import ROWS, Figure
from emobatch.evaluation.layout import WIDTH, Table, short, under
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.metrics import confusion
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample

# Of a matrix that is too wide for a terminal, so many confusions are listed.
MOST_LISTED = 20
# More cells than that can't be taken in, however narrow.
MOST_CLASSES = 12


class Confusion(Measure):
    """Rows by label and by what was predicted."""

    name = "confusion"
    title = "confusion matrix"

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Count the rows of each label that were predicted as each class."""
        rows, classes = sample.scored, sample.task.classes
        for stage, column in sample.stages.items() if len(rows) else ():
            for label, counts in zip(
                classes, confusion(rows["label"], rows[column], classes), strict=True
            ):
                for to, count in zip(classes, counts, strict=True):
                    total = sum(counts)
                    yield Figure(
                        self.name, count, rows=total, stage=stage, of_class=label, to=to, unit=ROWS
                    )

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the matrix of each stage."""
        if not evaluation.of(self.name, group):
            return {}
        return {self.name: {stage: matrix(evaluation, stage) for stage in evaluation.stages}}

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show the matrices side by side, else beneath each other, else what is confused most."""
        if not evaluation.of(self.name):
            return ()
        stages = evaluation.stages
        both = _matrices(evaluation, stages)
        if both.width <= WIDTH:
            return (both,)
        apart = [_matrices(evaluation, [stage]) for stage in stages]
        few = len(evaluation.task.classes) <= MOST_CLASSES
        if few and all(table.width <= WIDTH for table in apart):
            return apart
        return (_listed(evaluation),)


def matrix(evaluation: Evaluation, stage: str) -> list[list[int]]:
    """The confusion matrix of a stage.

    Args:
        evaluation: what was measured.
        stage: of predictions.

    Returns:
        A row of counts for each label, with a column for each prediction, in the order of the
        classes.
    """
    classes = evaluation.task.classes
    cells = iter(figure for figure in evaluation.of("confusion") if figure.stage == stage)
    return [[int(next(cells).value or 0) for _ in classes] for _ in classes]


def most_confused(evaluation: Evaluation) -> list[Figure]:
    """Which classes are taken for which most often.

    Args:
        evaluation: what was measured.

    Returns:
        Counts of rows by label and prediction of the last stage, which is what is left to be done;
        the largest first, and none of them 0 or right.
    """
    last = evaluation.stages[-1]
    wrong = [
        figure
        for figure in evaluation.of("confusion")
        if figure.stage == last and figure.of_class != figure.to and figure.value
    ]
    return sorted(wrong, key=lambda figure: -(figure.value or 0))


def _matrices(evaluation: Evaluation, stages: Sequence[str]) -> Table:
    classes = evaluation.task.classes
    names = [short(name) for name in classes]
    matrices = [matrix(evaluation, stage) for stage in stages]
    headings = [heading for stage in stages for heading in under(stage, names)]
    rows = [
        (name, *(str(count) for counts in matrices for count in counts[number]))
        for number, name in enumerate(names)
    ]
    return Table(("rows, by label", *headings), tuple(rows))


def _listed(evaluation: Evaluation) -> Table:
    stages = evaluation.stages
    confusions = most_confused(evaluation)
    rows = []
    for figure in confusions[:MOST_LISTED]:
        pair = {"of_class": figure.of_class, "to": figure.to}
        counts = [evaluation.text("confusion", stage=stage, **pair) for stage in stages]
        label, predicted = (short(str(name)) for name in pair.values())
        share = 100 * (figure.value or 0) / (figure.rows or 1)
        rows.append((label, predicted, *counts, f"{share:.1f}"))
    others = len(confusions) - len(rows)
    note = f"and {others} other kinds of confusion, each of fewer rows or as many" if others else ""
    columns = ("confused most:\nlabel", "\npredicted", *(f"\n{stage}" for stage in stages))
    return Table((*columns, "of label,\n%"), tuple(rows), note, left=2)
