"""Figures say what they are given, in more than colour, and the same way each time."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emobatch.fusion.selection.detection import Detection
from emobatch.fusion.selection.surface import Surface
from emobatch.reporting.charts.detection_surface import detection_heat_map
from emobatch.reporting.decisions import decisions
from emobatch.reporting.figures.confusion import confusion_matrix, describe_confusion
from emobatch.reporting.figures.curves import MOST_POINTS, reliability_diagram, risk_coverage_curve
from emobatch.reporting.figures.flow import MOST_CHANGES, flow, largest
from emobatch.reporting.figures.style import MINUS, to_svg
from emobatch.reporting.figures.uncertainty import uncertainty_by_class

EMOTIONS = ("angry", "happy", "neutral", "sad")
COUNTS = [[80, 3, 4, 1], [5, 90, 30, 2], [9, 20, 120, 12], [0, 0, 0, 0]]
AFTER = [[84, 2, 1, 1], [5, 90, 30, 2], [9, 20, 100, 32], [0, 0, 0, 0]]
CHANGES = pl.DataFrame(
    {
        "from": ["angry", "neutral", "neutral"],
        "to": ["sad", "happy", "sad"],
        "rows": [6, 9, 2],
        "better": [3, 5, 0],
        "worse": [1, 4, 0],
        "neither": [2, 0, 0],
        "no label": [0, 0, 2],
    }
)
BINS = pl.DataFrame(
    {
        "low": [0.0, 0.5],
        "high": [0.5, 1.0],
        "rows": [0, 7],
        "confidence": [None, 0.8],
        "accuracy": [None, 0.6],
    }
)


def curve(points: int) -> pl.DataFrame:
    coverage = np.arange(1, points + 1) / points
    return pl.DataFrame({"coverage": coverage, "accuracy": 1 - coverage / 4})


def values(*counts: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.random(count) for name, count in zip(EMOTIONS, counts, strict=True)}


def heat_map() -> Figure:
    axis = np.linspace(0.4, 0.8, 20)
    accuracy = np.round(100 * axis[:, None] * np.ones(20), -1)
    accuracy[:3] = np.nan
    used = Detection(0.7, 0.5, flagged=10, detected=7)
    searched = (0.5, 0.8, 0.4, 0.8)
    return detection_heat_map(
        Surface(axis, axis, accuracy, accuracy == 70, used, searched, used), "sad"
    )


FIGURES: dict[str, Callable[[], Figure]] = {
    "confusion": lambda: confusion_matrix(AFTER, EMOTIONS, "after", COUNTS),
    "flow": lambda: flow(CHANGES, EMOTIONS),
    "uncertainty": lambda: uncertainty_by_class(
        values(40, 3, 0, 9), values(9, 40, 1, 0), "entropy, nats", EMOTIONS, {"sad": 0.5}
    ),
    "surface": heat_map,
    "coverage": lambda: risk_coverage_curve({"speech": curve(9), "final": curve(2000)}),
    "reliability": lambda: reliability_diagram(BINS),
}
every_figure = pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)


def texts(figure: Figure) -> list[str]:
    svg = to_svg(figure, "name", "words")
    return [
        re.sub(r"\s+", " ", text.text or "")
        for text in ElementTree.fromstring(str(svg)).iter("{http://www.w3.org/2000/svg}text")
    ]


@every_figure
def test_drawn_again_it_is_the_same_whatever_the_users_own_style(
    draw: Callable[[], Figure],
) -> None:
    plain = to_svg(draw(), "name", "words")
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        assert to_svg(draw(), "name", "words") == plain
    # It needs nothing outside itself.
    addresses = re.findall(r'(?:href="|url\()([^")]*)', plain)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)


def test_ids_of_two_figures_differ() -> None:
    one, other = (
        set(re.findall(r'\bid="([^"]*)"', to_svg(flow(CHANGES, EMOTIONS), name, "")))
        for name in "ab"
    )
    assert one
    assert not one & other


def test_a_description_is_escaped() -> None:
    svg = to_svg(flow(CHANGES, EMOTIONS), "name", '"><script>')
    assert ElementTree.fromstring(str(svg)).get("aria-label") == '"><script>'


def test_a_confusion_matrix_prints_counts_changes_and_shares() -> None:
    shown = texts(confusion_matrix(AFTER, EMOTIONS, "after", COUNTS))
    for text in ("84", "+4", "95 %", "100", "\N{MINUS SIGN}20", "62 %", "after", "neutral"):
        assert text in shown


def test_a_flow_names_where_rows_come_from_and_go_to() -> None:
    shown = texts(flow(CHANGES, EMOTIONS))
    for text in ("angry \N{MINUS SIGN}6", "neutral \N{MINUS SIGN}11", "happy +9", "sad +8"):
        assert text in shown
    assert any("better" in text and "(8)" in text for text in shown)
    assert "no label (2)" in shown


def test_what_colours_tell_apart_hatching_does_too() -> None:
    svg = to_svg(flow(CHANGES, EMOTIONS), "name", "")
    assert len(re.findall("<pattern", svg)) == 2  # worse and neither; better is plain
    right = to_svg(uncertainty_by_class(values(40, 0, 0, 0), {}, "x", EMOTIONS, {}), "name", "")
    both = uncertainty_by_class(values(40, 0, 0, 0), values(40, 0, 0, 0), "x", EMOTIONS, {})
    shapes = [len(re.findall(r"fill: url\(#", svg)) for svg in (right, to_svg(both, "name", ""))]
    assert shapes[1] == shapes[0] + 1


def test_few_rows_are_drawn_one_by_one() -> None:
    few = uncertainty_by_class(values(3, 0, 0, 0), values(0, 5, 0, 0), "x", EMOTIONS, {})
    points = [len(line.get_ydata()) for line in few.axes[0].lines]
    assert points == [3, 5]
    # Those that are right stand on the left, and are counted first.
    right, wrong = few.axes[0].lines
    assert max(right.get_xdata()) < 0 and min(wrong.get_xdata()) > 1
    ticks = [tick.get_text() for tick in few.axes[0].get_xticklabels()]
    assert ticks == ["angry\n3 | 0", "happy\n0 | 5", "neutral\n0 | 0", "sad\n0 | 0"]


def test_rows_that_are_all_the_same_are_one_point() -> None:
    same = np.full(100, 0.5)
    same[0] = np.nextafter(0.5, 1)
    drawn = uncertainty_by_class({"sad": np.full(100, 0.5)}, {"sad": same}, "x", EMOTIONS, {})
    assert [len(line.get_ydata()) for line in drawn.axes[0].lines] == [1, 2]


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    line = risk_coverage_curve({"speech": curve(100_001)}).axes[0].lines[0]
    assert len(line.get_xdata()) <= MOST_POINTS + 1
    assert line.get_xdata()[-1] == 100
    assert line.get_ydata()[-1] == pytest.approx(75)


def test_decisions_add_up() -> None:
    rows = pl.DataFrame(
        [
            ("sad", "happy", True, "text"),
            ("sad", "sad", True, "text"),
            ("sad", "sad", True, "reverted"),
            ("sad", "sad", True, "reverted"),
            ("sad", "sad", True, "no-text"),
            ("angry", "angry", False, "speech"),
        ],
        schema=["speech_emotion", "emotion", "flagged", "decided_by"],
        orient="row",
    )
    found = decisions(rows, EMOTIONS)
    assert dict(zip(found.outcomes, found.counts["sad"], strict=True)) == {
        "rows": 5, "flagged": 5, "changed": 1, "confirmed": 1, "reverted": 2, "nothing said": 1,
    }  # fmt: skip
    assert found.counts["angry"] == (1, 0, 0, 0, 0, 0)
    assert found.counts["all"] == (6, 5, 1, 1, 2, 1)


def test_decisions_of_a_method_that_does_not_flag_go_by_who_decided() -> None:
    rows = pl.DataFrame(
        [("sad", "happy", "fusion"), ("sad", "sad", "fusion"), ("angry", "angry", "judge")],
        schema=["speech_emotion", "emotion", "decided_by"],
        orient="row",
    )
    found = decisions(rows, EMOTIONS)
    assert found.outcomes == ("rows", "changed", "by fusion", "by judge")
    assert found.counts["sad"] == (2, 1, 2, 0)
    assert found.counts["all"] == (3, 1, 2, 1)
    assert found.total("flagged") is None


def names(count: int) -> tuple[str, ...]:
    return tuple(f"emotion {number}" for number in range(count))


def counts(size: int) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 30, (size, size))


@pytest.mark.parametrize(("size", "printed"), [(2, True), (8, True), (12, True), (27, False)])
def test_a_matrix_of_many_classes_is_larger_and_leaves_its_numbers_out(
    size: int, printed: bool
) -> None:
    figure = confusion_matrix(counts(size), names(size), "x", counts(size)[::-1])
    assert bool(figure.axes[0].texts) is printed
    if printed:
        shown = texts(figure)
        assert all(str(count) in shown for count in counts(size).ravel())
    assert set(names(size)) <= {tick.get_text() for tick in figure.axes[0].get_xticklabels()}
    few = confusion_matrix(COUNTS, EMOTIONS, "x").get_size_inches()
    assert (figure.get_size_inches() >= few).all()


def drawn_boxes(figure: Figure, texts: list[Any]) -> list[Any]:
    figure.draw_without_rendering()
    return boxes(texts)


def boxes(texts: list[Any]) -> list[Any]:
    """Where texts of a figure that was drawn lie."""
    return [text.get_window_extent() for text in texts if text.get_text()]


@pytest.mark.parametrize("size", [2, 8, 12, 40])
def test_no_names_of_a_matrix_lie_upon_each_other(size: int) -> None:
    axes = confusion_matrix(counts(size), names(size), "x").axes[0]
    rows = drawn_boxes(axes.figure, axes.get_yticklabels())
    assert len(rows) == size
    for one, other in pairwise(rows):
        assert not one.overlaps(other)
    slanted = axes.get_xticklabels()[0].get_rotation() == 45
    flat = boxes(axes.get_xticklabels())
    assert slanted or not any(one.overlaps(other) for one, other in pairwise(flat))


@pytest.mark.parametrize("size", [2, 8, 12])
def test_numbers_of_a_matrix_stay_in_their_cells(size: int) -> None:
    figure = confusion_matrix(1000 + counts(size), names(size), "x", counts(size))
    axes = figure.axes[0]
    numbers = drawn_boxes(figure, axes.texts)
    cell = axes.get_window_extent()
    assert max(box.width for box in numbers) < cell.width / size
    assert not any(one.overlaps(other) for one, other in combinations(numbers, 2))


def test_a_matrix_of_many_classes_is_told_by_its_largest_counts() -> None:
    rows = np.zeros((20, 20), dtype=int)
    rows[0, :6] = [50, 1, 9, 8, 2, 0]
    said = describe_confusion(rows.tolist(), names(20), "x")
    assert "of 70 rows labelled emotion 0, 50 emotion 0, 9 emotion 2, 8 emotion 3, 3 others" in said


def changes_of(size: int) -> pl.DataFrame:
    pairs = [(one, other) for one in names(size) for other in names(size) if one != other]
    return pl.DataFrame(
        {
            "from": [one for one, _ in pairs],
            "to": [other for _, other in pairs],
            "rows": range(1, len(pairs) + 1),
            "better": range(1, len(pairs) + 1),
        }
    ).with_columns(worse=pl.lit(0), neither=pl.lit(0), **{"no label": pl.lit(0)})


def test_a_flow_leaves_classes_out_that_do_not_occur() -> None:
    shown = " ".join(texts(flow(CHANGES, EMOTIONS)))
    assert "angry +" not in shown and f"happy {MINUS}" not in shown


@pytest.mark.parametrize("size", [2, 12, 27])
def test_a_flow_has_its_bars_beneath_each_other(size: int) -> None:
    shown = largest(changes_of(size))
    assert len(shown) == min(size * (size - 1), MOST_CHANGES)
    assert shown["rows"].max() == size * (size - 1)
    axes = flow(shown, names(size)).axes[0]
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    for side in {bar.get_x() for bar in bars}:
        column = [bar for bar in bars if bar.get_x() == side]
        edges = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in column]
        assert all(below[0] > above[1] for above, below in pairwise(edges))
        assert edges[0][0] >= 0 and edges[-1][1] <= 1.001
        named = [text for text in axes.texts if text.get_text().startswith("emotion")]
    for one, other in combinations(drawn_boxes(axes.figure, named), 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize(("size", "lines"), [(2, 1), (9, 1), (10, 2), (27, 3)])
def test_many_classes_take_several_lines(size: int, lines: int) -> None:
    part = {name: np.random.default_rng(0).random(20) for name in names(size)}
    figure = uncertainty_by_class(part, part, "entropy, nats", names(size), {names(size)[-1]: 0.5})
    assert len(figure.axes) == lines
    ticks = [tick for axes in figure.axes for tick in axes.get_xticklabels()]
    assert [tick.get_text().split("\n")[0] for tick in ticks] == list(names(size))
    figure.draw_without_rendering()
    for axes in figure.axes:
        named = boxes(axes.get_xticklabels())
        assert named and not any(one.overlaps(other) for one, other in pairwise(named))
