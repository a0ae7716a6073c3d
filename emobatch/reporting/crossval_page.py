"""The page of a cross-validation: methods side by side, what they gain by fold, how they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from emobatch.crossval.attributes import AttributeValidation
from emobatch.crossval.comparison import Difference
from emobatch.crossval.fold_figures import BASELINE, CrossValidation
from emobatch.crossval.learning_curve import LearningCurve
from emobatch.evaluation.metrics import HEADLINE
from emobatch.evaluation.paired_test import TEST
from emobatch.fusion.description import Table, Value
from emobatch.reporting import crossval_attributes
from emobatch.reporting.described import Block, Part, grid
from emobatch.reporting.figures.gains import gains_by_fold
from emobatch.reporting.figures.style import MINUS
from emobatch.reporting.illustrations import Illustration
from emobatch.reporting.page import render, title
from emobatch.tables import reading, writing

EXTENSIONS = (".html", ".htm")
# Of a row of a table.
Cells = tuple[str | int | Value | None, ...]
EXPLAINED = (
    "UA, WA and F1 are means over the folds, in percent; gains are of UA over the speech branch, "
    "in points, with 95 % intervals. The calibration error is that of the method's own "
    "probabilities, where it gives some. Risk is the area under the curve of errors against the "
    "share of rows kept, the surest first: lower is better."
)
CAPTION = "Gain of UA over the speech branch in each fold, and the mean over the folds."
PAIRED = (
    "Differences of UA between methods that were asked for, on the same rows. Neither intervals "
    "nor p are corrected for how many pairs there are."
)
CURVE = (
    "UA of methods that are fitted on so many labelled rows, means of random draws; between the "
    "bounds beneath it one more draw lies 95 times in 100."
)


def write(
    result: CrossValidation | AttributeValidation, sources: Sequence[str], target: Path
) -> None:
    """Write a page about a cross-validation; the same input gives the same bytes.

    Args:
        result: what was found.
        sources: names of the tables, as they were given.
        target: the page, HTML.

    Raises:
        OutputError: if it can't be written.
    """
    writing.check_target(target, EXTENSIONS)
    if isinstance(result, AttributeValidation):
        summary, parts = crossval_attributes.summary(result), crossval_attributes.parts(result)
        drawn = result.resampling
    else:
        summary, parts, drawn = _summary(result), _parts(result), result.comparison.resampling
    page = render(
        "parts",
        {
            "kind": "cross-validation",
            "title": title(sources or [reading.STANDARD_STREAM]),
            "summary": summary,
            "notes": [f"{drawn.said}."],
            "parts": list(parts),
            "provenance": [],
        },
    )
    writing.write_text(target, page)


def _summary(result: CrossValidation) -> str:
    highest = result.summary(result.best)["mean"]["UA"]
    rows = sum(fold.rows for fold in result.folds.values())
    said = (
        f"{len(result.folds)} folds, {rows} rows that test, fitted on "
        f"{result.fit_on or 'the other folds'}. The highest mean UA is that of {result.best}, "
        f"{highest:.2f} %"
    )
    if gain := result.gains.get(result.best):
        said += f": {gain.value['UA']:+.2f} points over the speech branch".replace("-", MINUS)
    return f"{said}."


def _parts(result: CrossValidation) -> Iterator[Part]:
    blocks: list[Block] = [EXPLAINED, grid(_methods(result))]
    if result.gains:
        blocks.append([_picture(result)])
    yield Part("Methods", tuple(blocks))
    if result.pairs:
        yield Part("Differences", (PAIRED, grid(_pairs(result))))
    yield Part("By fold", (grid(_by_fold(result)),))
    if result.curve is not None:
        yield Part("By labelled rows", (CURVE, grid(_labelled(result, result.curve))))


def _methods(result: CrossValidation) -> Table:
    rows: list[Cells] = []
    for method in result.compared:
        summary, gain = result.summary(method), result.gains.get(method)
        rows.append(
            (
                method,
                *(Value(summary["mean"][name]) for name in HEADLINE),
                Value(None) if gain is None else _far(gain),
                "" if gain is None else f"{summary['wins']['UA']}/{len(result.folds)}",
                Value(result.spread("calibration_error", method)["mean"]),
                Value(result.spread("risk_coverage_area", method)["mean"]),
            )
        )
    columns = ("method", *HEADLINE, "gain", "folds up", "calibration error", "risk")
    return Table("Methods, means over folds", columns, tuple(rows))


def _far(difference: Difference) -> Value:
    low, high = difference.bounds["UA"] or (None, None)
    return Value(difference.value["UA"], low=low, high=high)


def _picture(result: CrossValidation) -> Illustration:
    gains = {
        method: [
            fold.figures[method]["UA"] - fold.figures[BASELINE]["UA"]
            for fold in result.folds.values()
        ]
        for method in result.gains
    }
    means = {method: gain.value["UA"] for method, gain in result.gains.items()}
    figure = gains_by_fold(gains, means, list(result.folds))
    told = "; ".join(f"{method} {mean:+.2f}" for method, mean in means.items())
    return Illustration.of(figure, "gains", f"{CAPTION} Means: {told}.", CAPTION)


def _pairs(result: CrossValidation) -> Table:
    rows: tuple[Cells, ...] = tuple(
        (
            f"{method} over {other}",
            _far(far),
            int(far.test["better"]),
            int(far.test["worse"]),
            f"{far.test['p']:.3g}",
        )
        for (method, other), far in result.pairs.items()
    )
    return Table(f"Paired differences; {TEST}", ("", "UA", "better", "worse", "p"), rows)


def _by_fold(result: CrossValidation) -> Table:
    rows: tuple[Cells, ...] = tuple(
        (name, fold.rows, *(Value(fold.figures[method]["UA"]) for method in result.compared))
        for name, fold in result.folds.items()
    )
    return Table("UA by fold, percent", ("fold", "rows", *result.compared), rows)


def _labelled(result: CrossValidation, curve: LearningCurve) -> Table:
    counts = list(next(iter(curve.draws.values())))
    rows: list[Cells] = []
    for method in curve.draws:
        cells = []
        for count in counts:
            low, high = curve.interval(method, count, "UA")
            cells.append(Value(curve.mean(method, count, "UA"), low=low, high=high))
        rows.append((method, *cells, Value(result.summary(method)["mean"]["UA"])))
    return Table("UA by labelled rows, percent", ("method", *map(str, counts), "all"), tuple(rows))
