"""Word error rates: what is done to texts first, and that they need no label."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jiwer
import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from samples import csv, score_rows
from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

from emobatch.evaluation.normalisation import normalised

Cli = Callable[..., Result]
PAIRS = [
    ("Mr. Grey's colours -- twenty three!", "mister gray is colors 23"),
    ("I won't, uh, go.", "I will not go"),
    ("WELL done", "well done."),
    ("Yes", None),
]


def table() -> pl.DataFrame:
    said, heard = zip(*PAIRS, strict=True)
    return pl.DataFrame({"reference": said, "transcript": heard, "speaker": ["a", "b", "a", "b"]})


def measured(cli: Cli, rows: pl.DataFrame, *options: object) -> dict[str, Any]:
    result = cli("evaluate", "--json", *options, input=csv(rows))
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_none_is_jiwer_on_lower_case(cli: Cli) -> None:
    said, heard = ([text.lower() for text in column] for column in zip(*PAIRS[:3], strict=True))
    found = measured(cli, table()[:3], "--wer-normalisation", "none")
    assert found["wer"] == pytest.approx(100 * jiwer.wer(said, heard), abs=0.006)
    assert found["wer_normalisation"] == "lower case"


def test_whisper_is_its_own_normaliser(cli: Cli) -> None:
    normalise = EnglishTextNormalizer({"grey": "gray", "colours": "colors"})
    said, heard = (
        [normalise(text or "") for text in column] for column in zip(*PAIRS, strict=True)
    )
    found = measured(cli, table(), "--wer-normalisation", "whisper")
    assert found["wer"] == pytest.approx(100 * jiwer.wer(said, heard), abs=0.006)
    assert found["wer_normalisation"] == "Whisper's English normaliser"
    assert found["wer"] < measured(cli, table(), "--wer-normalisation", "none")["wer"]


def test_words_is_what_is_done_without_the_option(cli: Cli) -> None:
    plain = measured(cli, table())
    assert plain == measured(cli, table(), "--wer-normalisation", "words")
    assert plain["wer_normalisation"].startswith("lower case, punctuation and symbols removed")


def test_characters_are_normalised_so_as_well(cli: Cli) -> None:
    rows = pl.DataFrame({"reference": ["今天, 好吗?"], "transcript": ["今天好吗"]})
    rates = [measured(cli, rows, "--wer-normalisation", how) for how in ("words", "none")]
    assert [rate["cer"] for rate in rates] == [0.0, 33.33]
    assert rates[1]["cer_normalisation"] == "lower case, spaces removed"


def test_what_is_not_said_stays_nothing() -> None:
    texts = pl.DataFrame({"heard": [None, " ", "uh"]}, schema={"heard": pl.String})
    assert normalised(texts, "whisper")["heard"].to_list() == ["", "", ""]


@pytest.mark.parametrize(
    "rows",
    [
        table(),
        table().with_columns(label=pl.lit(None, dtype=pl.String)),
        score_rows(4).drop("label").with_columns(table()),
        score_rows(4).with_columns(table(), label=pl.lit("")),
        table().with_columns(label=pl.lit("sad")),
    ],
    ids=["no label", "empty", "scores alone", "scores and empty labels", "labels alone"],
)
def test_without_labels_or_predictions_words_alone_are_measured(
    cli: Cli, rows: pl.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    found = measured(cli, rows)
    alone = measured(cli, table())
    assert found == alone
    assert set(found) == {"wer", "wer_rows", "wer_normalisation", "wer_interval", "intervals"}
    assert "only what was recognised is measured" in caplog.text


def test_of_words_alone_the_terminal_shows_the_rate_and_its_groups(cli: Cli) -> None:
    shown = cli("evaluate", "--by", "speaker", input=csv(table())).stdout
    assert f"word error rate (WER) {measured(cli, table())['wer']:.2f} %" in shown
    groups = measured(cli, table(), "--by", "speaker")["by"]
    lines = [line.split() for line in shown.splitlines()]
    assert [["a", f"{groups['a']['wer']:.2f}"], ["b", f"{groups['b']['wer']:.2f}"]] == lines[-2:]


def test_labelled_rows_are_measured_as_ever(cli: Cli) -> None:
    rows = score_rows(4).with_columns(table())
    assert {"before", "wer"} <= set(measured(cli, rows))
    some = rows.with_columns(label=pl.Series(["sad", None, None, None]))
    assert measured(cli, some)["wer_rows"] == 1  # rows without a label don't count there


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (table().with_columns(reference=pl.lit("")), [], "no column 'label'"),
        (table(), ["--label-column", "emo"], "no column 'emo'"),
        (table().drop("transcript"), [], "no column 'label'"),
    ],
)
def test_what_has_neither_words_nor_labels_is_refused(
    cli: Cli, rows: pl.DataFrame, options: list[str], said: str
) -> None:
    assert said in refusal(cli("evaluate", *options, input=csv(rows)))
