from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from checkpoints import save_whisper
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import save, tone

from emobatch.errors import EmobatchError
from emobatch.models.names import CLEANING_STEPS as STEPS
from emobatch.models.steps import parse_steps
from emobatch.scorers.cleaning import clean

Cli = Callable[..., Result]


@pytest.mark.parametrize(
    ("text", "steps", "wanted"),
    [
        ("I can't, won't and you've", "contractions", "I cannot, will not and you have"),
        ("I\u2019m sure", "contractions", "I am sure"),
        ("u r late", "contractions", "u r late"),
        ("Don't — stop; it's well-known!", "punctuation", "Dont stop its well known"),
        ("costs $3.50 + tax 😀", "punctuation", "costs 3 50 tax 😀"),
        ("fine ^ 👍🏽 ❤️ 👩🏽\u200d🦱!", "punctuation", "fine 👍🏽 ❤️ 👩🏽\u200d🦱"),
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


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("en", "I don't, it\u2019s Mary's", "i do not it be mary"),
        ("fr", "L'été, qu\u2019on attend", "l être qu on attendre"),
        ("fr", "Aujourd\u2019hui, QUELQU'UN d'autre", "aujourd'hui quelqu'un de autre"),
        ("it", "Un po' d'acqua dell'anno", "uno po d acqua dell anno"),
        ("de", "Wie geht's? Die Hunde", "wie gehts der hund"),
        ("nl", "foto's, 'bier'", "foto bier"),
        ("no", "alle bilene", "alle bil"),
        ("ja", "今日は、元気です。", "今日は 元気です"),
        ("zh", "你好\uff0c世界\uff013天", "你好 世界 天"),
        ("ar", "لماذا تركتني؟ أنا حزين، ٣ مرات!", "لماذا تركتني أنا حزين مر"),
        ("he", "שלום, עולם!", "שלום עולם"),
        ("en-US", "I DON'T", "i do not"),
        ("xx", "don't go", "don t go"),
        (None, "The dogs don't go", "the dogs don t go"),
    ],
)
def test_each_language_has_its_own_rules(language: str, text: str, wanted: str) -> None:
    assert clean(text, language=language) == wanted


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("ca", "l'home", "l home"),
        ("uk", "комп'ютери, так!", "комп'ютери так"),
        ("tr", "IŞIK!", "\u0131\u015f\u0131k"),
    ],
)
def test_rules_of_languages_whose_dictionaries_take_long_to_read(
    language: str, text: str, wanted: str
) -> None:
    assert clean(text, tuple(step for step in STEPS if step != "lemmas"), language) == wanted


@pytest.mark.parametrize("language", ["fr", "it", "de", "zh", "xx"])
def test_contractions_are_expanded_in_english_alone(language: str) -> None:
    assert clean("can't", ("contractions",), language) == "can't"


@pytest.mark.parametrize("language", ["zh", "ja", "yue", "xx"])
def test_lemmas_are_of_languages_that_are_known(language: str) -> None:
    assert clean("running dogs", ("lemmas",), language) == "running dogs"


def test_the_transcripts_of_a_manifest_are_of_the_language_named(
    cli: Cli, tmp_path: Path, model_options: list[str]
) -> None:
    save(tmp_path / "a.wav", tone(0.5))
    (tmp_path / "m.csv").write_text("path,transcript\na.wav,L'été n'est pas fini\n")
    whisper = save_whisper(tmp_path / "whisper", multilingual=True)
    command = ("score", tmp_path / "m.csv", *model_options, "--asr-model", whisper)
    for language, wanted in (("fr", "l être ne être pas fini"), ("en", "lété nest pa fini")):
        result = cli(*command, "--language", language)
        assert result.exit_code == 0, result.stderr
        assert pl.read_csv(result.stdout.encode())["cleaned_text"].to_list() == [wanted]
        assert ("contractions (fr in 1 rows)" in result.stderr) == (language == "fr")
    assert "cleaned without contractions and lemmas" in cli(*command, "--language=auto").stderr


def test_with_auto_each_row_is_cleaned_by_the_language_detected(
    cli: Cli, tmp_path: Path, model_options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from emobatch.models.whisper import Whisper

    decode = Whisper._decode
    said = {0.5: ("fr", " l'été"), 1.0: ("en", " it's"), 1.5: ("zh", " it's")}

    def detect(self: Whisper, windows: list, context: int) -> list:
        found = [said[round(each.seconds, 1)] for each in decode(self, windows, context)]
        passages = decode(self, windows, context)
        return [
            replace(passage, language=language, text=text)
            for passage, (language, text) in zip(passages, found, strict=True)
        ]

    monkeypatch.setattr(Whisper, "_decode", detect)
    for seconds in said:
        save(tmp_path / f"{seconds}.wav", tone(seconds))
    (tmp_path / "m.csv").write_text("path\n" + "".join(f"{name}.wav\n" for name in said))
    whisper = save_whisper(tmp_path / "whisper", multilingual=True)
    command = ("score", tmp_path / "m.csv", *model_options, "--asr-model", whisper)
    result = cli(*command, "--language=auto")
    assert result.exit_code == 0, result.stderr
    cleaned = pl.read_csv(result.stdout.encode())["cleaned_text"].to_list()
    assert cleaned == ["l être", "it be", "it s"]


def test_an_unknown_step_is_named() -> None:
    with pytest.raises(EmobatchError, match=r"no step 'stem'.*lemmas"):
        parse_steps("lowercase,stem")
    with pytest.raises(EmobatchError, match="no step 'none'"):
        parse_steps("none,lowercase")
    assert parse_steps("none") == ()
    assert parse_steps(" lowercase , numbers") == ("lowercase", "numbers")


@settings(max_examples=100)
@given(st.text(max_size=80), st.lists(st.sampled_from(STEPS), unique=True))
def test_any_text_comes_out_as_single_spaced_words(text: str, steps: list[str]) -> None:
    cleaned = clean(text, tuple(steps))
    assert cleaned == " ".join(cleaned.split())
