"""What the page of a cross-validation of attributes shows: means, gains, and each fold."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

from emobatch.crossval.attributes import BASELINE, DIGITS, AttributeValidation
from emobatch.evaluation.agreement import CCC, FIGURES
from emobatch.fusion.description import Table, Value
from emobatch.fusion.ridge.figures import MEAN
from emobatch.reporting.described import Block, Part, grid
from emobatch.reporting.figures.gains import gains_by_fold
from emobatch.reporting.figures.style import MINUS
from emobatch.reporting.illustrations import Illustration

# Of a row of a table.
Cells = tuple[str | int | Value | None, ...]
EXPLAINED = (
    "CCC, Pearson's correlation and RMSE are means over the folds, with standard deviations (sd); "
    "the mean is that over the attributes. Gains are of the mean CCC over the speech branch, with "
    "95 % intervals."
)
CAPTION = "Gain of the mean CCC over the speech branch in each fold, and the mean over the folds."
LEFT_OUT = "{} rows without labels, scores, fold or split are left out."


def summary(result: AttributeValidation) -> str:
    """Say what was found, in a few sentences.

    Args:
        result: of all folds.

    Returns:
        How many folds and rows, and the last method's mean CCC and gain.
    """
    rows = sum(len(fold.rows) for fold in result.folds.values())
    said = (
        f"{len(result.folds)} folds, {rows} rows that test, fitted on "
        f"{result.fit_on or 'the other folds'}."
    )
    method = result.methods[-1]
    (mean, _), gain = result.spread(method, MEAN, CCC), result.gain(method)["value"]
    if mean is not None and gain is not None:
        signed = f"{gain:+.3f}".replace("-", MINUS)
        said += f" The mean CCC of {method} is {mean:.3f}: {signed} over the speech branch."
    return said


def parts(result: AttributeValidation) -> Iterator[Part]:
    """Lay out what was found.

    Args:
        result: of all folds.

    Yields:
        Sections of the page.
    """
    blocks: list[Block] = [EXPLAINED, grid(_means(result)), grid(_gains(result))]
    if picture := _picture(result):
        blocks.append([picture])
    if result.left_out:
        blocks.append(LEFT_OUT.format(result.left_out))
    yield Part("Attributes", tuple(blocks))
    yield Part("By fold", tuple(grid(_by_fold(result, name)) for name in result.attributes))


def _means(result: AttributeValidation) -> Table:
    rows: list[Cells] = []
    for method in result.methods:
        for attribute in result.attributes:
            spreads = (result.spread(method, attribute, figure) for figure in FIGURES)
            values = (Value(each, DIGITS) for spread in spreads for each in spread)
            rows.append((method, attribute, *values))
    columns = [name for figure in FIGURES for name in (figure, "sd")]
    return Table("Means over folds", ("method", "attribute", *columns), tuple(rows))


def _gains(result: AttributeValidation) -> Table:
    rows: list[Cells] = []
    for method in result.methods:
        if method != BASELINE:
            gain = result.gain(method)
            value = Value(gain["value"], DIGITS, gain["low"], gain["high"])
            rows.append((method, value, f"{gain['folds_up']}/{len(result.folds)}"))
    return Table("Gain of the mean CCC", ("method", "gain", "folds up"), tuple(rows))


def _picture(result: AttributeValidation) -> Illustration | None:
    plain = result.values(BASELINE, MEAN, CCC)
    gains, means = {}, {}
    for method in result.methods:
        own, gain = result.values(method, MEAN, CCC), result.gain(method)["value"]
        if method == BASELINE or gain is None:
            continue
        means[method] = float(gain)
        # No bar where a fold's figure is undefined.
        pairs = ((own[name], plain[name]) for name in result.folds)
        gains[method] = [nan if one is None or two is None else one - two for one, two in pairs]
    if not gains:
        return None
    told = "; ".join(f"{method} {mean:+.4f}" for method, mean in means.items())
    figure = gains_by_fold(gains, means, list(result.folds), "gain of the mean CCC")
    return Illustration.of(figure, "gains", f"{CAPTION} Means: {told}.", CAPTION)


def _by_fold(result: AttributeValidation, attribute: str) -> Table:
    found = {
        (method, figure): result.values(method, attribute, figure)
        for method in result.methods
        for figure in FIGURES
    }
    rows: tuple[Cells, ...] = tuple(
        (
            name,
            len(fold.rows),
            fold.fitted_on,
            *(Value(values[name], DIGITS) for values in found.values()),
        )
        for name, fold in result.folds.items()
    )
    columns = (f"{figure} {method}" for method, figure in found)
    return Table(f"{attribute} by fold", ("fold", "rows", "fitted on", *columns), rows)
