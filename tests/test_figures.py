"""Figures say what they are given, in more than colour, and the same way each time."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

from emobatch.fusion.selection.detection import Detection
from emobatch.fusion.selection.surface import Surface
from emobatch.reporting.decisions import OUTCOMES, decisions
from emobatch.reporting.figures.confusion import confusion_matrix
from emobatch.reporting.figures.curves import MOST_POINTS, reliability_diagram, risk_coverage_curve
from emobatch.reporting.figures.flow import flow
from emobatch.reporting.figures.style import to_svg
from emobatch.reporting.figures.surface import detection_heat_map
from emobatch.reporting.figures.uncertainty import uncertainty_by_class
from emobatch.tasks.labels import EMOTIONS

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
    "confusion": lambda: confusion_matrix(AFTER, "after", COUNTS),
    "flow": lambda: flow(CHANGES),
    "uncertainty": lambda: uncertainty_by_class(
        values(40, 3, 0, 9), values(9, 40, 1, 0), "entropy, nats", {"sad": 0.5}
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
def test_drawn_again_it_is_the_same(draw: Callable[[], Figure]) -> None:
    assert to_svg(draw(), "name", "words") == to_svg(draw(), "name", "words")


@every_figure
def test_the_users_own_style_changes_nothing(draw: Callable[[], Figure]) -> None:
    plain = to_svg(draw(), "name", "words")
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        assert to_svg(draw(), "name", "words") == plain


@every_figure
def test_it_needs_nothing_outside_itself(draw: Callable[[], Figure]) -> None:
    svg = to_svg(draw(), "name", "words")
    addresses = re.findall(r'(?:href="|url\()([^")]*)', svg)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)


def test_ids_of_two_figures_differ() -> None:
    one, other = (
        set(re.findall(r'\bid="([^"]*)"', to_svg(flow(CHANGES), name, ""))) for name in "ab"
    )
    assert one
    assert not one & other


def test_a_description_is_escaped() -> None:
    svg = to_svg(flow(CHANGES), "name", '"><script>')
    assert ElementTree.fromstring(str(svg)).get("aria-label") == '"><script>'


def test_a_confusion_matrix_prints_counts_changes_and_shares() -> None:
    shown = texts(confusion_matrix(AFTER, "after", COUNTS))
    for text in ("84", "+4", "95 %", "100", "\N{MINUS SIGN}20", "62 %", "after", "neutral"):
        assert text in shown


def test_a_flow_names_where_rows_come_from_and_go_to() -> None:
    shown = texts(flow(CHANGES))
    for text in ("angry \N{MINUS SIGN}6", "neutral \N{MINUS SIGN}11", "happy +9", "sad +8"):
        assert text in shown
    assert any("better" in text and "(8)" in text for text in shown)
    assert "no label (2)" in shown


def test_what_colours_tell_apart_hatching_does_too() -> None:
    svg = to_svg(flow(CHANGES), "name", "")
    assert len(re.findall("<pattern", svg)) == 2  # worse and neither; better is plain
    right = to_svg(uncertainty_by_class(values(40, 0, 0, 0), {}, "x", {}), "name", "")
    both = uncertainty_by_class(values(40, 0, 0, 0), values(40, 0, 0, 0), "x", {})
    shapes = [len(re.findall(r"fill: url\(#", svg)) for svg in (right, to_svg(both, "name", ""))]
    assert shapes[1] == shapes[0] + 1


def test_few_rows_are_drawn_one_by_one() -> None:
    few = uncertainty_by_class(values(3, 0, 0, 0), values(0, 5, 0, 0), "x", {})
    points = [len(line.get_ydata()) for line in few.axes[0].lines]
    assert points == [3, 5]


def test_rows_that_are_all_the_same_are_one_point() -> None:
    same = np.full(100, 0.5)
    same[0] = np.nextafter(0.5, 1)
    drawn = uncertainty_by_class({"sad": np.full(100, 0.5)}, {"sad": same}, "x", {})
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
            ("sad", "sad", True, "no-text"),
            ("angry", "angry", False, "speech"),
        ],
        schema=["speech_emotion", "emotion", "flagged", "decided_by"],
        orient="row",
    )
    found = decisions(rows)
    assert dict(zip(OUTCOMES, found["sad"], strict=True)) == {
        "rows": 4, "flagged": 4, "changed": 1, "confirmed": 1, "reverted": 1, "nothing said": 1,
    }  # fmt: skip
    assert found["angry"] == (1, 0, 0, 0, 0, 0)
    assert found["all"] == (5, 4, 1, 1, 1, 1)
