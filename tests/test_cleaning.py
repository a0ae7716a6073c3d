from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobatch.errors import EmobatchError
from emobatch.models.choice import parse_steps
from emobatch.models.names import CLEANING_STEPS as STEPS
from emobatch.scorers.cleaning import clean


@pytest.mark.parametrize(
    ("text", "steps", "wanted"),
    [
        ("I can't, won't and you've", "contractions", "I cannot, will not and you have"),
        ("I\u2019m sure", "contractions", "I am sure"),
        ("u r late", "contractions", "u r late"),
        ("Don't — stop; it's well-known!", "punctuation", "Dont stop its well known"),
        ("costs $3.50 + tax 😀", "punctuation", "costs 3 50 tax 😀"),
        ("the cats were running", "lemmas", "the cat be run"),
        ("LOUD Voice", "lowercase", "loud voice"),
        ("on the 2nd of 12 days", "numbers", "on the of days"),
        ("  spaces\tand\nlines ", "none", "spaces and lines"),
        ("I hated 3 of Mary's cats!", ",".join(STEPS), "i hate of mary cat"),
    ],
)
def test_each_step(text: str, steps: str, wanted: str) -> None:
    assert clean(text, parse_steps(steps)) == wanted


def test_steps_are_carried_out_in_the_order_given() -> None:
    assert clean("We've met", ("contractions", "punctuation")) == "We have met"
    assert clean("We've met", ("punctuation", "contractions")) == "Weve met"


def test_other_languages_are_lemmatised_or_left_alone() -> None:
    assert clean("die Hunde liefen", ("lemmas",), "de").split()[1] == "Hund"
    assert clean("can't", ("contractions",), "de") == "can't"
    assert clean("tere hommikust", ("lemmas",), "yue") == "tere hommikust"


def test_an_unknown_step_is_named() -> None:
    with pytest.raises(EmobatchError, match=r"no step 'stem'.*lemmas"):
        parse_steps("lowercase,stem")


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=80), st.lists(st.sampled_from(STEPS), unique=True))
def test_any_text_comes_out_as_single_spaced_words(text: str, steps: list[str]) -> None:
    cleaned = clean(text, tuple(steps))
    assert cleaned == " ".join(cleaned.split())
