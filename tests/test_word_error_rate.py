from __future__ import annotations

import jiwer
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobatch.evaluation.word_error_rate import word_error_rate, word_errors

words = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=6).map(" ".join)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=12)


@settings(deadline=None, derandomize=True, max_examples=80)
@given(pairs)
def test_the_rate_equals_jiwers(table: list[tuple[str, str]]) -> None:
    said, heard = (pl.Series(column) for column in zip(*table, strict=True))
    spoken = [pair for pair in table if pair[0]]
    wanted = jiwer.wer(*map(list, zip(*spoken, strict=True))) if spoken else None
    found = word_error_rate(said, heard)
    assert found == (None if wanted is None else pytest.approx(100 * wanted, abs=0.00501))


@settings(deadline=None, derandomize=True, max_examples=80)
@given(words.filter(bool), words)
def test_the_errors_of_a_row_are_jiwers(said: str, heard: str) -> None:
    aligned = jiwer.process_words(said, heard)
    wanted = aligned.substitutions + aligned.deletions + aligned.insertions
    assert word_errors(pl.Series([said]), pl.Series([heard])).row(0) == (wanted, len(said.split()))


@pytest.mark.parametrize(
    ("said", "heard"),
    [("The CAT sat.", "the cat sat"), ("so  what?\tyes", "so what yes"), ("don't", "dont")],
)
def test_case_punctuation_and_spaces_are_no_errors(said: str, heard: str) -> None:
    assert word_error_rate(pl.Series([said]), pl.Series([heard])) == 0
