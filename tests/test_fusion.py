from __future__ import annotations

from itertools import combinations
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import algorithm_1
from samples import EMOTIONS, rule

from emobatch.fusion.selection.algorithm import could_change, map_answer
from emobatch.fusion.selection.method import Selection
from emobatch.fusion.selection.rules import Rules, SentimentMapping
from emobatch.tables.score_columns import DECISION_COLUMNS
from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import SENTIMENTS
from emobatch.tasks.task import Task

SCHEMA = {
    "speech_emotion": pl.String,
    "entropy": pl.Float64,
    "varentropy": pl.Float64,
    "speech_angry": pl.Float64,
    "speech_sad": pl.Float64,
    "sentiment": pl.String,
    "sentiment_score": pl.Float64,
}

# Few distinct values, so that rows often lie exactly on a threshold.
tenths = st.integers(0, 10).map(lambda n: n / 10)
emotions = st.sampled_from(EMOTIONS)
scored_row = st.fixed_dictionaries(
    {
        "speech_emotion": emotions,
        "entropy": tenths,
        "varentropy": tenths,
        "speech_angry": tenths,
        "speech_sad": tenths,
        "sentiment": st.none() | st.sampled_from(SENTIMENTS),
        "sentiment_score": st.none() | tenths,
    }
)
unscored_row = st.just(dict.fromkeys(SCHEMA))
tables = st.lists(scored_row | unscored_row, max_size=30)
mappings = st.fixed_dictionaries(
    {"mapping": st.sampled_from(["simple", "refer"]), "sentiment": tenths, "flip": st.booleans()}
)
fitted = st.builds(
    lambda mapping, e, v: rule(entropy=e, varentropy=v, **mapping),
    mappings,
    tenths,
    tenths,
)
unfitted = st.builds(lambda mapping: rule(reason="few", **mapping), mappings)
any_thresholds = st.builds(
    Rules,
    st.dictionaries(emotions, fitted | unfitted),
    st.lists(st.tuples(emotions, emotions), max_size=6).map(tuple),
)


def decided(rows: list[dict[str, Any]], rules: Rules) -> pl.LazyFrame:
    table = pl.LazyFrame(rows, schema=SCHEMA)
    return Selection(FOUR, rules).decide(table).select(DECISION_COLUMNS)


def decide(rows: list[dict[str, Any]], rules: Rules) -> list[dict[str, Any]]:
    return decided(rows, rules).collect().to_dicts()


def row(**values: Any) -> dict[str, Any]:
    """A row that `flagging` flags; its sentiment is negative."""
    return {
        "speech_emotion": "happy",
        "entropy": 1.0,
        "varentropy": 0.4,
        "speech_angry": 0.3,
        "speech_sad": 0.2,
        "sentiment": "negative",
        "sentiment_score": 0.6,
        **values,
    }


def flagging(*exclusions: tuple[str, str], **entry: Any) -> Rules:
    """Thresholds on which `row` lies exactly."""
    return Rules({"happy": rule(entropy=1.0, varentropy=0.4, **entry)}, exclusions)


@settings(max_examples=80)
@given(tables, any_thresholds)
def test_the_expression_equals_algorithm_1(rows: list[dict[str, Any]], thresholds: Rules) -> None:
    assert decide(rows, thresholds) == [algorithm_1(item, thresholds) for item in rows]


@settings(max_examples=50)
@given(tables, any_thresholds)
def test_lazy_and_streamed_tables_give_the_same(
    rows: list[dict[str, Any]], thresholds: Rules
) -> None:
    lazy = decided(rows, thresholds)
    eager = decide(rows, thresholds)
    assert lazy.collect().to_dicts() == eager
    assert lazy.collect(engine="streaming").to_dicts() == eager


def test_the_columns_have_their_names_and_types() -> None:
    schema = decided([row()], flagging()).collect().schema
    assert tuple(schema) == DECISION_COLUMNS
    assert schema.dtypes() == [pl.Boolean, pl.String, pl.String, pl.String]


@pytest.mark.parametrize(
    ("values", "exclusions", "wanted"),
    [
        ({"entropy": 0.999}, [], (False, "angry", "happy", "speech")),
        ({"varentropy": 0.401}, [], (False, "angry", "happy", "speech")),
        ({}, [], (True, "angry", "angry", "text")),
        ({"sentiment": "positive"}, [], (True, "happy", "happy", "text")),
        ({}, [("happy", "angry")], (True, "angry", "happy", "reverted")),
        ({}, [("happy", "angry"), ("happy", "sad")], (True, "angry", "happy", "reverted")),
        ({}, [("angry", "happy")], (True, "angry", "angry", "text")),
        ({}, [("sad", "angry")], (True, "angry", "angry", "text")),
        ({"sentiment": None}, [], (True, None, "happy", "no-text")),
        ({"speech_emotion": "sad"}, [], (False, None, "sad", "speech")),
        (dict.fromkeys(SCHEMA), [], (None, None, None, None)),
    ],
    ids=[
        "entropy below its threshold",
        "varentropy above its threshold",
        "exactly on both thresholds",
        "the text agrees",
        "the change is excluded",
        "the change and another are excluded",
        "the opposite change is excluded",
        "the change is excluded for another class",
        "no sentiment",
        "a class without thresholds",
        "not scored",
    ],
)
def test_decisions(
    values: dict[str, Any], exclusions: list[tuple[str, str]], wanted: tuple[Any, ...]
) -> None:
    (found,) = decide([row(**values)], flagging(*exclusions))
    assert tuple(found.values()) == wanted


@pytest.mark.parametrize(
    ("angry", "sad", "wanted"), [(0.3, 0.2, "angry"), (0.2, 0.3, "sad"), (0.3, 0.3, "angry")]
)
def test_refer_asks_the_speech_branch_and_says_angry_of_equals(
    angry: float, sad: float, wanted: str
) -> None:
    (found,) = decide([row(speech_angry=angry, speech_sad=sad)], flagging(mapping="refer"))
    assert found["mapped_emotion"] == wanted


@pytest.mark.parametrize(
    ("score", "flip", "wanted"),
    [
        (0.59, False, "angry"),
        (0.60, False, "angry"),
        (0.61, False, "sad"),
        (0.59, True, "sad"),
        (0.60, True, "sad"),
        (0.61, True, "angry"),
    ],
)
def test_simple_is_angry_where_score_is_low_xor_flip(score: float, flip: bool, wanted: str) -> None:
    thresholds = flagging(mapping="simple", sentiment=0.6, flip=flip)
    (found,) = decide([row(sentiment_score=score)], thresholds)
    assert found["mapped_emotion"] == wanted


def test_simple_has_nothing_to_say_about_negative_text_without_a_score() -> None:
    rows = [row(sentiment_score=None), row(sentiment_score=None, sentiment="positive")]
    found = decide(rows, flagging(mapping="simple"))
    assert [item["decided_by"] for item in found] == ["no-text", "text"]


def test_classes_that_could_not_be_fitted_are_never_flagged() -> None:
    thresholds = Rules({name: rule(reason="few rows") for name in EMOTIONS})
    rows = [row(speech_emotion=name, entropy=99.0, varentropy=0.0) for name in EMOTIONS]
    assert [item["flagged"] for item in decide(rows, thresholds)] == [False] * 4


def test_thresholds_without_classes_leave_the_speech_branch_alone() -> None:
    (found,) = decide([row()], Rules({}))
    assert (found["emotion"], found["decided_by"]) == ("happy", "speech")


def possible_emotions(scored: dict[str, Any], thresholds: Rules) -> set[str | None]:
    """The emotions that come out of a row, whatever the text branch may say of it."""
    said = [
        {**scored, "sentiment": sentiment, "sentiment_score": score}
        for sentiment in SENTIMENTS
        for score in (0.34, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)
    ]
    return {each["emotion"] for each in decide(said, thresholds)}


@settings(max_examples=50)
@given(st.lists(scored_row | unscored_row, max_size=6), any_thresholds)
def test_the_gate_opens_where_the_text_branch_could_change_the_emotion(
    rows: list[dict[str, Any]], thresholds: Rules
) -> None:
    table = pl.DataFrame(rows, schema=SCHEMA)
    needed = table.select(could_change(thresholds, FOUR).fill_null(False)).to_series().to_list()
    wanted = [
        bool(possible_emotions(scored, thresholds) - {scored["speech_emotion"]}) for scored in rows
    ]
    # A threshold between two of the scores tried can't be told from one outside of them.
    if all(entry.mapping.sentiment in (0.0, 0.5, 0.6) for entry in thresholds.classes.values()):
        assert needed == wanted
    assert all(need or not want for need, want in zip(needed, wanted, strict=True))


SIMPLE = [
    {"mapping": "simple", "sentiment": tau, "flip": flip}
    for tau in (0.3, 0.5)
    for flip in (False, True)
]


@pytest.mark.parametrize("mapping", [{"mapping": "refer"}, *SIMPLE], ids=str)
def test_the_gate_opens_for_what_each_list_of_exclusions_leaves(mapping: dict[str, Any]) -> None:
    rows = [row(), row(speech_angry=0.2, speech_sad=0.3)]
    table = pl.DataFrame(rows, schema=SCHEMA)
    seen = set()
    for count in range(4):
        for excluded in combinations(["angry", "neutral", "sad"], count):
            # What another class may be changed to is of no matter to this one.
            classes = {"happy": rule(1.0, 0.4, **mapping), "sad": rule(1.0, 0.4)}
            rules = Rules(classes, tuple(("happy", name) for name in excluded))
            needed = table.select(could_change(rules, FOUR)).to_series().to_list()
            possible = [possible_emotions(each, rules) - {"happy"} for each in rows]
            assert needed == [bool(emotions) for emotions in possible], excluded
            seen |= set(needed)
    assert seen == {False, True}


@pytest.mark.parametrize(
    ("classes", "wanted"),
    [(["happy", "sad"], "sad"), (["happy", "angry", "fear", "sad"], "fear")],
    ids=["one negative class", "three, of which the likeliest is meant"],
)
def test_the_simple_mapping_tells_two_classes_apart_and_no_others(
    classes: list[str], wanted: str
) -> None:
    mapped = map_answer(SentimentMapping("simple", 0.5, True), Task.of(classes))
    table = pl.DataFrame([row(speech_fear=0.4)])
    assert table.select(mapped).item() == wanted


@pytest.mark.parametrize(
    ("excluded", "emotion", "opens"),
    [((), "sad", True), (("sad",), "happy", True), (("angry", "neutral", "sad"), "happy", False)],
)
def test_what_a_text_model_of_emotions_says_stands_unless_it_is_excluded(
    excluded: tuple[str, ...], emotion: str, opens: bool
) -> None:
    rules = flagging(*(("happy", name) for name in excluded), mapping="direct")
    table = pl.DataFrame([row(text_emotion="sad", speech_happy=0.5)]).drop("sentiment")
    decided_rows = Selection(FOUR, rules).decide(table.lazy()).collect()
    assert decided_rows["mapped_emotion"].item() == "sad"
    assert decided_rows["emotion"].item() == emotion
    assert table.select(could_change(rules, FOUR)).item() is opens
