from __future__ import annotations

import polars as pl
import pytest

from emobatch.errors import LabelError
from emobatch.tasks.labels import (
    EMOTION_ALIASES,
    EMOTIONS,
    SENTIMENTS,
    canonical,
    checkpoint_classes,
    parse_label_map,
)


def read(*labels: object, **options: object) -> list[str | None]:
    return canonical(pl.Series("label", labels, strict=False), **options).to_list()


@pytest.mark.parametrize(
    ("emotion", "spellings"),
    [
        ("angry", ["A", "ang", "anger", "angry"]),
        ("happy", ["H", "hap", "happiness", "exc", "excited", "excitement", "happy"]),
        ("neutral", ["N", "neu", "neutral"]),
        ("sad", ["S", "sadness", "sad"]),
    ],
)
def test_the_contracts_aliases_are_read_in_any_case(emotion: str, spellings: list[str]) -> None:
    assert set(read(*spellings)) == {emotion}
    assert set(read(*map(str.upper, spellings))) == {emotion}
    assert set(read(*(f"  {spelling}\t" for spelling in spellings))) == {emotion}


def test_the_classes_and_their_order_are_the_contracts() -> None:
    assert EMOTIONS == ("angry", "happy", "neutral", "sad")
    assert SENTIMENTS == ("negative", "neutral", "positive")
    assert set(EMOTION_ALIASES.values()) == set(EMOTIONS)
    assert all(name == name.lower() for name in EMOTION_ALIASES)


def test_null_and_blank_mean_unlabelled() -> None:
    assert read("sad", None, "", "   ") == ["sad", None, None, None]


def test_a_column_of_nothing_but_nulls_is_unlabelled() -> None:
    assert canonical(pl.Series("label", [None, None])).to_list() == [None, None]


def test_an_empty_column_is_read() -> None:
    assert canonical(pl.Series("label", [], dtype=pl.String)).to_list() == []


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["ang", "sad"])])
def test_labels_in_other_text_types_are_read(kind: pl.DataType) -> None:
    labels = pl.Series("label", ["ang", None, "sad"], dtype=kind)
    found = canonical(labels)
    assert found.to_list() == ["angry", None, "sad"]
    assert (found.name, found.dtype) == ("label", pl.String)


def test_unknown_labels_are_listed_with_counts_and_a_remedy() -> None:
    with pytest.raises(LabelError) as refusal:
        read("fru", "sad", "FRU", "xxx", "fru", None)
    message = str(refusal.value)
    assert "column 'label' has labels outside angry, happy, neutral, sad" in message
    assert "fru (3), xxx (1)" in message
    assert "--label-map fru=none" in message


def test_a_label_map_comes_before_the_aliases() -> None:
    label_map = parse_label_map(["exc=neutral", "fru=none"], EMOTIONS)
    assert read("exc", "Fru", "hap", label_map=label_map) == ["neutral", None, "happy"]


def test_sentiments_have_their_own_aliases() -> None:
    assert read("NEG", "neu", "Positive", classes=SENTIMENTS) == list(SENTIMENTS)
    with pytest.raises(LabelError, match="negative, neutral, positive"):
        read("happy", classes=SENTIMENTS)


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
    assert parse_label_map(pairs, EMOTIONS) == wanted


@pytest.mark.parametrize("pair", ["fru", "fru=", "=sad", "fru=frustrated", "a=sad,,b=sad", ""])
def test_label_maps_with_a_typo_are_refused(pair: str) -> None:
    with pytest.raises(LabelError, match=r"not NAME=CLASS; CLASS is one of angry, .* or none"):
        parse_label_map([pair], EMOTIONS)


@pytest.mark.parametrize(
    ("names", "label_map", "wanted"),
    [
        (["neu", "hap", "ang", "sad"], [], [2, 1, 0, 3]),
        (["HAPPY", "Sadness", "anger", "exc", "neutral"], [], [1, 3, 0, 1, 2]),
        (["0", "1", "2", "3"], ["0=sad,1=neu,2=hap,3=ang"], [3, 2, 1, 0]),
        (["a", "h", "n", "s", "fear"], ["fear=none"], [0, 1, 2, 3, None]),
    ],
)
def test_a_checkpoints_outputs_are_mapped(
    names: list[str], label_map: list[str], wanted: list[int | None]
) -> None:
    parsed = parse_label_map(label_map, EMOTIONS)
    assert checkpoint_classes(names, EMOTIONS, parsed, "--label-map") == wanted


@pytest.mark.parametrize(
    "names",
    [["LABEL_0", "LABEL_1"], ["ang", "hap", "neu"], ["a", "h", "n", "s", "fear"]],
    ids=["nameless", "a class is missing", "a label too many"],
)
def test_a_checkpoint_that_cannot_be_mapped_is_refused_with_its_labels(names: list[str]) -> None:
    with pytest.raises(LabelError) as refusal:
        checkpoint_classes(names, EMOTIONS, {}, "--label-map")
    assert ", ".join(names) in str(refusal.value)
    assert f"--label-map {names[0]}=angry" in str(refusal.value)
