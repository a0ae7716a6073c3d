"""How prosody is put in words: held against the speaker's own median, by documented bounds."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emobatch.judging.description import COLUMNS, LEAST_CLIPS, TRAITS, describe, medians

USUAL = {
    "loudness": -20.0,
    "loudness_range": 20.0,
    "pitch_median": 200.0,
    "pitch_range": 10.0,
    "speaking_rate": 3.0,
    "pause_share": 0.4,
}
# Where "louder" and where "much louder" begins, and so on, as docs/judge.md has it.
BOUNDS = [
    ("loudness", "louder", -18.0, -14.0),
    ("loudness", "quieter", -22.0, -26.0),
    ("loudness_range", "wider", 23.0, 29.0),
    ("loudness_range", "narrower", 17.0, 11.0),
    ("pitch_median", "higher", 220.0, 260.0),
    ("pitch_median", "lower", 200 / 1.1, 200 / 1.3),
    ("pitch_range", "wider", 12.0, 16.0),
    ("pitch_range", "narrower", 8.0, 4.0),
    ("speaking_rate", "faster", 3 * (1 + 0.5 / 3), 4.5),
    ("speaking_rate", "slower", 3 / (1 + 0.5 / 3), 2.0),
    ("pause_share", "more", 0.5, 0.7),
    ("pause_share", "less", 0.3, 0.1),
]


def said(column: str, value: float) -> str:
    return describe({column: value}, USUAL) or ""


@pytest.mark.parametrize(("column", "word", "begins", "much"), BOUNDS)
def test_words_begin_where_the_documentation_says(
    column: str, word: str, begins: float, much: float
) -> None:
    step = 1e-6 * (begins - USUAL[column])
    assert ", as this speaker's usual" in said(column, begins - step)
    for value in (begins + step, much - step):
        assert f", {word} than this speaker's usual" in said(column, value)
    assert f", much {word} than this speaker's usual" in said(column, much + step)


@given(
    st.sampled_from([trait.column for trait in TRAITS]), st.floats(0.05, 60), st.floats(0.05, 60)
)
def test_what_is_more_is_never_called_less(column: str, value: float, usual: float) -> None:
    (trait,) = (each for each in TRAITS if each.column == column)
    less, more = (f" {word} than " for word in trait.words)
    text = describe({column: value}, {column: usual}) or ""
    assert not (value > usual and less in text)
    assert not (value < usual and more in text)
    assert text.startswith(trait.name)


@given(st.dictionaries(st.sampled_from(COLUMNS), st.one_of(st.none(), st.floats(-100, 700))))
def test_only_what_is_measured_is_told(row: dict[str, float | None]) -> None:
    measured = [trait.name for trait in TRAITS if row.get(trait.column) is not None]
    text = describe(row, {})
    if not measured:
        assert text is None
    else:
        assert text is not None and "usual" not in text
        assert len(text.split("; ")) == len(measured)
        for part, name in zip(text.split("; "), measured, strict=True):
            assert part.startswith(name)


def test_a_speaker_of_few_clips_has_no_usual() -> None:
    counts = {"few": LEAST_CLIPS - 1, "enough": LEAST_CLIPS}
    names = [name for name, count in counts.items() for _ in range(count)]
    loudness = [float(-number) for number in range(len(names))]
    rows = pl.DataFrame({"speaker": names, "loudness": loudness})
    middle = rows.filter(speaker="enough")["loudness"].median()
    assert medians(rows) == {"enough": {"loudness": middle}}
    assert medians(rows.drop("speaker")) == medians(rows.drop("loudness")) == {}


def test_what_was_never_measured_of_a_speaker_is_not_compared() -> None:
    rows = pl.DataFrame(
        {"speaker": ["a"] * 5, "loudness": [-20.0] * 5, "pitch_median": [None] * 5},
        schema_overrides={"pitch_median": pl.Float64},
    )
    usual = medians(rows)["a"]
    assert describe({"loudness": -10.0, "pitch_median": 100.0}, usual) == (
        "loudness -10 dBFS, much louder than this speaker's usual; pitch 100 Hz"
    )
