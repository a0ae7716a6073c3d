from __future__ import annotations

import jiwer
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobatch.evaluation.word_error_rate import (
    character_errors,
    rate,
    word_error_rate,
    word_errors,
)

words = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=6).map(" ".join)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=12)


@settings(max_examples=40)
@given(pairs)
def test_the_rate_equals_jiwers(table: list[tuple[str, str]]) -> None:
    said, heard = (pl.Series(column) for column in zip(*table, strict=True))
    spoken = [pair for pair in table if pair[0]]
    wanted = jiwer.wer(*map(list, zip(*spoken, strict=True))) if spoken else None
    found = word_error_rate(said, heard)
    assert found == (None if wanted is None else pytest.approx(100 * wanted, abs=0.00501))


@settings(max_examples=40)
@given(words.filter(bool), words)
def test_the_errors_of_a_row_are_jiwers(said: str, heard: str) -> None:
    aligned = jiwer.process_words(said, heard)
    wanted = aligned.substitutions + aligned.deletions + aligned.insertions
    assert word_errors(pl.Series([said]), pl.Series([heard])).row(0) == (wanted, len(said.split()))


# Of each script that has no spaces between words, and what a recogniser may make of it.
letters = st.sampled_from(
    [*"今天気がよいですね", *"ขอบคุณมาก", *"ຂອບໃຈ", *"អរគុណ", *"ကျေးဇူး", *"བོད", "a"]
)
unspaced = st.lists(letters, max_size=8).map("".join)


@settings(max_examples=40)
@given(st.lists(st.tuples(unspaced.map("天ไ".__add__), unspaced), min_size=1, max_size=8))
def test_the_rate_of_characters_equals_jiwers(table: list[tuple[str, str]]) -> None:
    said, heard = (pl.Series(column) for column in zip(*table, strict=True))
    wanted = jiwer.cer(*map(list, zip(*table, strict=True)))
    found = rate(character_errors(said, heard))
    assert found == pytest.approx(100 * wanted, abs=0.00501)
    assert word_error_rate(said, heard) is None


@settings(max_examples=40)
@given(pairs)
def test_what_is_written_with_spaces_has_no_rate_of_characters(
    table: list[tuple[str, str]],
) -> None:
    said, heard = (pl.Series(column) for column in zip(*table, strict=True))
    assert rate(character_errors(said, heard)) is None


@pytest.mark.parametrize(
    ("said", "unspaced"),
    [
        *[("今天天气很好", True), ("ありがとう", True), ("カタカナ", True), ("ㄅㄆㄇ", True)],
        *[("ขอบคุณครับ", True), ("ຂອບໃຈ", True), ("អរគុណ", True), ("ကျေးဇူး", True), ("བོད་", True)],
        *[("감사합니다", False), ("नमस्ते दुनिया", False), ("cảm ơn bạn", False), ("شكرا لك", False)],
        *[("спасибо", False), ("ευχαριστώ", False), ("1 2", False), ("one two", False)],
        *[("我们用Python写", True), ("we say 猫 for cat", False)],
    ],
)
def test_a_references_script_says_what_is_counted(said: str, unspaced: bool) -> None:
    references, nothing = pl.Series([said]), pl.Series([None], dtype=pl.String)
    assert (rate(character_errors(references, nothing)) == 100) is unspaced
    assert (word_error_rate(references, nothing) == 100) is not unspaced


@pytest.mark.parametrize(
    ("said", "heard"),
    [("The CAT sat.", "the cat sat"), ("so  what?\tyes", "so what yes"), ("don't", "dont")],
)
def test_case_punctuation_and_spaces_are_no_errors(said: str, heard: str) -> None:
    assert word_error_rate(pl.Series([said]), pl.Series([heard])) == 0
