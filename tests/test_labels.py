from __future__ import annotations

import polars as pl
import pytest

from emobatch.errors import LabelError, TaskError
from emobatch.tasks.choose import of_table
from emobatch.tasks.eight import EIGHT
from emobatch.tasks.four import FOUR
from emobatch.tasks.label_columns import canonical
from emobatch.tasks.labels import (
    SENTIMENT_LABELS,
    Labels,
    checkpoint_classes,
    parse_label_map,
)
from emobatch.tasks.spellings import EMOTIONS
from emobatch.tasks.task import Task


def read(*values: object, labels: Labels = FOUR.labels, **options: object) -> list[str | None]:
    return canonical(pl.Series("label", values, strict=False), labels, **options).to_list()


@pytest.mark.parametrize(
    ("emotion", "spellings"),
    [
        ("angry", ["ang", "anger", "angry"]),
        ("happy", ["hap", "happiness", "exc", "excited", "excitement", "happy"]),
        ("neutral", ["neu", "neutral"]),
        ("sad", ["sadness", "sad"]),
    ],
)
def test_the_contracts_aliases_are_read_in_any_case(emotion: str, spellings: list[str]) -> None:
    assert set(read(*spellings)) == {emotion}
    assert set(read(*map(str.upper, spellings))) == {emotion}
    assert set(read(*(f"  {spelling}\t" for spelling in spellings))) == {emotion}


def test_the_classes_and_their_order_are_the_contracts() -> None:
    assert FOUR.classes == ("angry", "happy", "neutral", "sad")
    assert " ".join(EIGHT.classes) == "angry sad happy surprise fear disgust contempt neutral"
    assert SENTIMENT_LABELS.names == ("negative", "neutral", "positive")
    assert set(FOUR.labels.spellings.values()) == set(FOUR.classes)
    assert all(name == name.lower() for name in EMOTIONS)


@pytest.mark.parametrize("letter", ["a", "h", "n", "s", "F", "W"])
def test_no_single_letter_is_a_label(letter: str) -> None:
    # EmoDB's A is fear: read as angry it would go wrong in silence.
    with pytest.raises(LabelError, match="outside angry"):
        read(letter)


def test_a_spelling_of_two_classes_stands_for_neither() -> None:
    task = Task.of(["joy", "excitement", "sad"])
    assert read("joy", "excitement", labels=task.labels) == ["joy", "excitement"]
    with pytest.raises(LabelError, match=r"happiness \(1\)"):
        read("happiness", labels=task.labels)
    assert read("happiness", labels=Task.of(["joy", "sad"]).labels) == ["joy"]


@pytest.mark.parametrize(
    ("classes", "fault"),
    [
        (["a"], "1 classes; name 2 to 64"),
        ([f"c{number}" for number in range(65)], "65 classes"),
        (["a", "A "], "named twice"),
        (["a", ""], "is no name"),
        (["a", "b\x1b"], "is no name"),
        (["a", "emotion"], "can't be called 'emotion'"),
        (["a", "none"], "can't be called 'none'"),
        (["a", "arousal"], "can't be called 'arousal'"),
    ],
)
def test_names_that_make_no_task_are_refused(classes: list[str], fault: str) -> None:
    with pytest.raises(TaskError, match=fault):
        Task.of(classes)


def test_the_four_classes_keep_their_order_whatever_the_columns() -> None:
    columns = [f"speech_{name}" for name in ("sad", "angry", "neutral", "happy")]
    assert of_table(columns, {}) == FOUR


def test_a_class_is_named_by_any_spelling_in_a_sentiment_map() -> None:
    assert FOUR.with_sentiments(["exc=none"]).sentiments["positive"] == ()


def test_null_and_blank_mean_unlabelled() -> None:
    assert read("sad", None, "", "   ") == ["sad", None, None, None]


def test_a_column_of_nothing_but_nulls_is_unlabelled() -> None:
    assert canonical(pl.Series("label", [None, None]), FOUR.labels).to_list() == [None, None]


def test_an_empty_column_is_read() -> None:
    assert canonical(pl.Series("label", [], dtype=pl.String), FOUR.labels).to_list() == []


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["ang", "sad"])])
def test_labels_in_other_text_types_are_read(kind: pl.DataType) -> None:
    labels = pl.Series("label", ["ang", None, "sad"], dtype=kind)
    found = canonical(labels, FOUR.labels)
    assert found.to_list() == ["angry", None, "sad"]
    assert (found.name, found.dtype) == ("label", pl.String)


def test_unknown_labels_are_listed_with_counts_and_a_remedy() -> None:
    with pytest.raises(LabelError) as refusal:
        read("fru", "sad", "FRU", "bored", "fru", None)
    message = str(refusal.value)
    assert "column 'label' has labels outside angry, happy, neutral, sad" in message
    assert "fru (3), bored (1)" in message
    assert "--label-map fru=none" in message and "--classes" in message


def test_a_label_map_comes_before_the_aliases() -> None:
    label_map = parse_label_map(["exc=neutral", "fru=none"], FOUR.labels)
    assert read("exc", "Fru", "hap", label_map=label_map) == ["neutral", None, "happy"]


def test_a_label_map_comes_before_the_aliases_of_a_checkpoints_outputs() -> None:
    label_map = parse_label_map(["neg=positive,pos=negative"], SENTIMENT_LABELS)
    found = checkpoint_classes(["neg", "neutral", "pos"], SENTIMENT_LABELS, label_map, "--x")
    assert found == [2, 1, 0]


def test_sentiments_have_their_own_aliases() -> None:
    assert read("NEG", "neu", "Positive", labels=SENTIMENT_LABELS) == list(SENTIMENT_LABELS.names)
    with pytest.raises(LabelError, match="negative, neutral, positive"):
        read("happy", labels=SENTIMENT_LABELS)


@pytest.mark.parametrize(
    ("pairs", "wanted"),
    [
        ([], {}),
        (["fru=none"], {"fru": None}),
        (["FRU = None", "Label_0=ANG"], {"fru": None, "label_0": "angry"}),
        (["0=sad,1=happy", "2=neu"], {"0": "sad", "1": "happy", "2": "neutral"}),
        (["a=b=sad"], {"a=b": "sad"}),
    ],
)
def test_label_maps_are_read(pairs: list[str], wanted: dict[str, str | None]) -> None:
    assert parse_label_map(pairs, FOUR.labels) == wanted


@pytest.mark.parametrize("pair", ["fru", "fru=", "=sad", "fru=frustrated", "a=sad,,b=sad", ""])
def test_label_maps_with_a_typo_are_refused(pair: str) -> None:
    with pytest.raises(LabelError, match=r"not NAME=CLASS; CLASS is one of angry, .* or none"):
        parse_label_map([pair], FOUR.labels)


@pytest.mark.parametrize(
    ("names", "label_map", "wanted"),
    [
        (["neu", "hap", "ang", "sad"], [], [2, 1, 0, 3]),
        (["HAPPY", "Sadness", "anger", "exc", "neutral"], [], [1, 3, 0, 1, 2]),
        (["0", "1", "2", "3"], ["0=sad,1=neu,2=hap,3=ang"], [3, 2, 1, 0]),
        (["ang", "hap", "neu", "sad", "fear"], ["fear=none"], [0, 1, 2, 3, None]),
    ],
)
def test_a_checkpoints_outputs_are_mapped(
    names: list[str], label_map: list[str], wanted: list[int | None]
) -> None:
    parsed = parse_label_map(label_map, FOUR.labels)
    assert checkpoint_classes(names, FOUR.labels, parsed, "--label-map") == wanted


@pytest.mark.parametrize(
    "names",
    [["LABEL_0", "LABEL_1"], ["ang", "hap", "neu"], ["ang", "hap", "neu", "sad", "fear"]],
    ids=["nameless", "a class is missing", "a label too many"],
)
def test_a_checkpoint_that_cannot_be_mapped_is_refused_with_its_labels(names: list[str]) -> None:
    with pytest.raises(LabelError) as refusal:
        checkpoint_classes(names, FOUR.labels, {}, "--label-map")
    assert ", ".join(names) in str(refusal.value)
    assert f"--label-map {names[0]}=angry" in str(refusal.value)
