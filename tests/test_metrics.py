from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
)

from emobatch.errors import LabelError
from emobatch.evaluation.metrics import class_indices, confusion, metrics, per_class
from emobatch.evaluation.transitions import transitions

EMOTIONS = ("angry", "happy", "neutral", "sad")


def tables_of(classes: tuple[str, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Labels and two predictions, with their classes."""
    names = st.sampled_from(classes)
    rows = st.lists(st.tuples(names, names, names), min_size=1, max_size=40)
    return rows.map(
        lambda table: (*(pl.Series(column) for column in zip(*table, strict=True)), classes)
    )


# Of two classes, of four, and of many.
tables = st.one_of(
    tables_of(EMOTIONS[:2]), tables_of(EMOTIONS), tables_of(tuple("abcdefghijklmnopqrstuvwxyz"))
)
# About half of the tables lack a class, in the labels or in what is predicted.
seldom = settings(max_examples=30)


@seldom
@given(tables)
def test_headline_figures_equal_scikit_learns(table: Any) -> None:
    labels, predictions, _, classes = table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of predicted classes that no row is labelled with
        wanted = {
            "UA": balanced_accuracy_score(labels, predictions),
            "WA": accuracy_score(labels, predictions),
            "F1": f1_score(labels, predictions, average="macro"),
        }
    assert metrics(labels, predictions, classes) == pytest.approx(
        {name: 100 * value for name, value in wanted.items()}, abs=0.00501
    )


@seldom
@given(tables)
def test_figures_of_each_class_equal_scikit_learns(table: Any) -> None:
    labels, predictions, _, classes = table
    wanted = classification_report(
        labels, predictions, labels=classes, output_dict=True, zero_division=0
    )
    found = per_class(labels, predictions, classes)
    assert list(found) == list(classes)
    for name in classes:
        report = wanted[name]
        shares = {"precision": "precision", "recall": "recall", "F1": "f1-score"}
        assert found[name].pop("support") == report["support"]
        assert found[name] == pytest.approx(
            {figure: 100 * report[key] for figure, key in shares.items()}, abs=0.00501
        )


@seldom
@given(tables)
def test_the_confusion_matrix_equals_scikit_learns(table: Any) -> None:
    labels, predictions, _, classes = table
    wanted = confusion_matrix(labels, predictions, labels=classes)
    assert confusion(labels, predictions, classes) == wanted.tolist()


@seldom
@given(tables)
def test_transitions_are_those_of_going_through_the_rows(table: Any) -> None:
    wanted: dict[tuple[str, str], list[int]] = {}
    for label, before, after in zip(*table[:3], strict=True):
        if before != after:
            counts = wanted.setdefault((before, after), [0, 0, 0, 0])
            counts[0] += 1
            counts[1 if after == label else 2 if before == label else 3] += 1
    found = transitions(*table)
    assert found.columns == ["from", "to", "rows", "better", "worse", "neither"]
    assert {row[:2]: list(row[2:]) for row in found.rows()} == wanted
    assert [row[:2] for row in found.rows()] == sorted(wanted)


@pytest.mark.parametrize("bad", [None, "fear", ""])
def test_a_row_without_a_class_is_named(bad: str | None) -> None:
    with pytest.raises(LabelError, match=r"predictions: row 2 is .*angry, happy"):
        metrics(pl.Series(["sad", "sad"]), pl.Series(["sad", bad]), EMOTIONS)


@pytest.mark.parametrize("figure", [metrics, per_class, confusion])
def test_no_rows_are_refused(figure: Callable[..., Any]) -> None:
    nothing = pl.Series([], dtype=pl.String)
    with pytest.raises(LabelError, match="no rows"):
        figure(nothing, nothing, EMOTIONS)


def test_classes_of_an_enum_are_numbered_by_their_names() -> None:
    emotions = pl.Series(["sad", "angry"], dtype=pl.Enum(["sad", "angry"]))
    found = class_indices(emotions, EMOTIONS)
    assert found.tolist() == [3, 0]
