"""Each transcript is cleaned by its own language, and what a language goes without is said once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from checkpoints import save_whisper
from click.testing import Result
from faster_whisper.tokenizer import _LANGUAGE_CODES
from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES
from sounds import save, tone

from emobatch.models.whisper import Passage, Whisper
from emobatch.scorers.cleaning import LEMMAS, unknowing
from emobatch.scorers.scorer import WindowScore
from emobatch.scorers.transcription import WhisperScorer

Cli = Callable[..., Result]
PAGE = Path(__file__).parents[1] / "docs" / "languages.md"
# Language, transcript, and what the text model is given.
SPOKEN = (
    ("ja", "本当に悲しい😢。３回も、ね。", "本当に悲しい😢 回も ね"),
    ("ar", "لماذا تركتني؟ أنا حزين، ٣ مرات!", "لماذا تركتني أنا حزين مر"),
    ("he", "שלום, עולם!", "שלום עולם"),
    ("fr", "Aujourd\u2019hui, l'été est là", "aujourd'hui l être être là"),
    ("en-GB", "I can't 👍🏽 go, يا صديقي!", "i cannot 👍🏽 go يا صديقي"),
    (None, "We've 2 cats, 猫!", "we have cat 猫"),
)
CONTRACTIONS = "contractions (ar in 1, fr in 1, he in 1, ja in 1 rows), lemmas (ja in 1 rows)"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of transcripts in several languages, right to left and left to right."""
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(len(SPOKEN)):
        save(folder / f"{number}.wav", tone(0.3, hertz=200 + 100 * number))
    rows = [
        {"path": f"{number}.wav", "transcript": text, "language": code}
        for number, (code, text, _) in enumerate(SPOKEN)
    ]
    pl.DataFrame(rows).write_csv(folder / "m.csv")
    pl.DataFrame(rows).drop("language").write_csv(folder / "unnamed.csv")
    return folder


def notes(result: Result, about: str) -> list[str]:
    assert result.exit_code == 0, result.stderr
    return [line for line in result.stderr.splitlines() if about in line]


def scored(result: Result) -> pl.DataFrame:
    assert result.exit_code == 0, result.stderr
    return pl.read_csv(result.stdout.encode(), infer_schema=False)


@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_the_manifests_column_says_by_what_language_each_row_is_cleaned(
    cli: Cli, corpus: Path, tmp_path: Path, extension: str
) -> None:
    target = tmp_path / f"s.{extension}"
    result = cli("score", corpus / "m.csv", "--models=demo", "-o", target)
    assert notes(result, "cleaned") == [
        f"note: transcripts are cleaned without the steps that don't know their language: "
        f"{CONTRACTIONS}"
    ]
    table = {"csv": pl.read_csv, "parquet": pl.read_parquet}[extension](target)
    place = table.columns.index("language")
    assert table.columns[place - 1 : place + 2] == ["transcript_source", "language", "asr_logprob"]
    assert table["transcript"].to_list() == [text for _, text, _ in SPOKEN]
    assert table["language"].to_list() == [code or "en" for code, _, _ in SPOKEN]
    assert table["cleaned_text"].to_list() == [cleaned for _, _, cleaned in SPOKEN]
    assert table["sentiment"].null_count() == 0
    if extension == "parquet":
        # The same command again has nothing to do, and verify takes the rows' own languages.
        again = cli("score", corpus / "m.csv", "--models=demo", "-o", target)
        assert "nothing to do" in again.stderr
        assert cli("verify", target, "--root", corpus).exit_code == 0


def test_an_option_names_the_language_of_given_transcripts(cli: Cli, corpus: Path) -> None:
    command = ("score", corpus / "unnamed.csv", "--models=demo")
    japanese = cli(*command, "--transcript-language=ja")
    assert set(scored(japanese)["language"]) == {"ja"}
    assert scored(japanese)["cleaned_text"][5] == "we ve cats 猫"
    assert notes(japanese, "cleaned") == [
        "note: transcripts are cleaned without the steps that don't know their language: "
        "contractions (ja in 6 rows), lemmas (ja in 6 rows)"
    ]
    english = cli(*command)
    assert set(scored(english)["language"]) == {"en"} and notes(english, "cleaned") == []
    unknown = cli(*command, "--language=auto")
    assert scored(unknown)["language"].null_count() == len(SPOKEN)
    assert scored(unknown)["cleaned_text"][5] == "we ve cats 猫"
    (note,) = notes(unknown, "cleaned")
    assert note.startswith("note: 6 transcripts of the manifest are cleaned without contractions a")
    assert note.endswith("name it with --transcript-language")
    # What no step needs a language for needs no note.
    assert notes(cli(*command, "--language=auto", "--clean=punctuation"), "cleaned") == []
    refused = cli(*command, "--transcript-language=auto")
    assert refused.exit_code == 1 and "--transcript-language auto: text has" in refused.stderr


def test_detected_languages_stand_in_the_table_and_in_one_note(
    cli: Cli, tmp_path: Path, model_options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {0.5: ("fr", " l'été"), 1.0: ("en", " it's"), 1.5: ("de", " geht's"), 2.0: ("de", "")}
    decode = Whisper._decode

    def detect(self: Whisper, windows: list, context: int) -> list[Passage]:
        assert self._language == "auto"
        passages = decode(self, windows, context)
        found = [said[round(passage.seconds, 1)] for passage in passages]
        return [
            replace(passage, language=code, text=text)
            for passage, (code, text) in zip(passages, found, strict=True)
        ]

    monkeypatch.setattr(Whisper, "_decode", detect)
    for seconds in said:
        save(tmp_path / f"{seconds}.wav", tone(seconds))
    (tmp_path / "m.csv").write_text("path\n" + "".join(f"{name}.wav\n" for name in said))
    whisper = save_whisper(tmp_path / "whisper", multilingual=True)
    command = ("score", tmp_path / "m.csv", *model_options, "--asr-model", whisper)
    for output in ((), ("-o", tmp_path / "s.csv")):
        result = cli(*command, "--language=auto", *output)
        assert notes(result, "cleaned") == [
            "note: transcripts are cleaned without the steps that don't know their language: "
            "contractions (de in 1, fr in 1 rows)"
        ]
        table = pl.read_csv(tmp_path / "s.csv") if output else scored(result)
        assert table["language"].to_list() == ["fr", "en", "de", None]
        assert table["cleaned_text"].to_list() == ["l être", "it be", "gehts", None]


def test_of_several_windows_the_language_is_that_of_most_of_what_is_said() -> None:
    scorer = WhisperScorer.__new__(WhisperScorer)

    def language(*passages: tuple[str, float, str]) -> str | None:
        windows = [
            WindowScore(seconds, [Passage(text, seconds, -0.1, 0.1, code)])
            for text, seconds, code in passages
        ]
        return scorer.transcript(windows).language

    assert language((" a", 30, "en"), (" b", 30, "de"), (" c", 5, "de")) == "de"
    assert language((" a", 30, "en"), (" b", 30, "de")) == "en"
    assert language((" ", 30, "en"), (" b", 5, "de")) == "de"
    assert language(("", 30, "en")) is None


def test_a_manifests_language_is_no_order_to_whisper(cli: Cli, corpus: Path) -> None:
    save(corpus / "silent.wav", np.zeros(8000, "f4"))
    content = "path,language\nsilent.wav,de\n0.wav,\n"
    result = cli("score", "-", "--root", corpus, "--models=demo", input=content)
    (note,) = notes(result, "name a language")
    assert note.startswith("note: 1 rows of the manifest name a language and have no transcript")
    table = scored(result)
    # Nothing was said there, so that nothing says otherwise.
    assert table.row(0, named=True) | {"language": "de", "transcript_source": "none"} == table.row(
        0, named=True
    )
    assert (table["language"][1] == "en") == (table["transcript_source"][1] == "asr")


def test_another_language_of_transcripts_is_another_run(
    cli: Cli, corpus: Path, tmp_path: Path
) -> None:
    command = ("score", corpus / "unnamed.csv", "--models=demo", "-o", tmp_path / "s.csv")
    assert cli(*command, "--transcript-language=en").exit_code == 0
    # The same by default.
    assert "nothing to do" in cli(*command).stderr
    refused = cli(*command, "--transcript-language=ja")
    assert refused.exit_code == 1
    assert "differs in --transcript-language (was its default); " in refused.stderr


def test_a_table_of_before_the_column_is_still_read(cli: Cli, corpus: Path, tmp_path: Path) -> None:
    target = tmp_path / "s.parquet"
    command = ("score", corpus / "unnamed.csv", "--models=demo", "--language=auto", "-o", target)
    assert cli(*command, "--transcript-language=en").exit_code == 0
    made = json.loads(pl.read_parquet_metadata(target)["emobatch"])
    for name in ("transcript_language", "speech", "text"):
        del made["options"][name]
    del made["table"]
    table = pl.read_parquet(target).drop("language")
    table.write_parquet(target, metadata={"emobatch": json.dumps(made)})
    # A row that failed is scored again, and the others stay.
    failed = table.with_columns(
        status=pl.when(pl.col("id") == "5.wav").then(pl.lit("error")).otherwise("status")
    )
    again = target.with_name("again.parquet")
    failed.write_parquet(again, metadata={"emobatch": json.dumps(made)})
    retried = cli(*command[:-1], again, "--retry-errors")
    assert retried.exit_code == 0, retried.stderr
    assert pl.read_parquet(again)["language"].null_count() == len(SPOKEN)
    assert pl.read_parquet(again).columns == [*_with_language(table.columns)]
    # Where nothing said the language, English was assumed.
    result = cli("verify", target, "--root", corpus)
    assert result.exit_code == 0, result.stdout
    assert cli("evaluate", target, "--label-column=speech_truth").exit_code == 1
    labelled = table.with_columns(label=pl.lit("sad"))
    assert cli("evaluate", input=labelled.write_csv()).exit_code == 0


def _with_language(columns: list[str]) -> list[str]:
    place = columns.index("asr_logprob")
    return [*columns[:place], "language", *columns[place:]]


def test_the_page_lists_the_languages_that_have_lemmas() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    listed = re.search(r"of Whisper's languages: `([a-z ]+)`", text)
    assert listed is not None
    # By the library's list: asked one by one, it would load every dictionary.
    known = [code for code in _LANGUAGE_CODES if LEMMAS.get(code, code) in SUPPORTED_LANGUAGES]
    assert listed[1].split() == known
    assert all(unknowing(("lemmas",), code) for code in set(_LANGUAGE_CODES) - set(known))
    assert len(_LANGUAGE_CODES) == int(re.search(r"(\d+) codes", text)[1])
    assert [c for c in _LANGUAGE_CODES if not unknowing(("contractions",), c)] == ["en"]
