"""`emobatch score` with other classes than four, and with text models of emotions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from checkpoints import EIGHT_LABELS, MANY_LABELS, TEXT, save_speech, save_text_emotion
from click.testing import Result
from espeak import RATE, VOICES, speak
from refusals import refusal
from sounds import save

from emobatch.tasks.eight import EIGHT

Cli = Callable[..., Result]
SENTIMENT = ["text_negative", "text_neutral", "text_positive", "sentiment", "sentiment_score"]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four spoken clips, labelled as nobody's classes are, and one without its file."""
    folder = tmp_path_factory.mktemp("spoken")
    for number, (text, voice) in enumerate(zip(TEXT[:4], VOICES, strict=False)):
        save(folder / f"{number}.wav", speak(text, voice) / np.float32(32768), RATE)
    rows = "".join(f"{number}.wav,Fru-{number}\n" for number in range(5))
    (folder / "manifest.csv").write_text("path,label\n" + rows)
    return folder / "manifest.csv"


@pytest.fixture(scope="module")
def text_emotion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_text_emotion(tmp_path_factory.mktemp("text") / "emotion")


def scored(
    cli: Cli, manifest: Path, target: Path, options: list[object]
) -> tuple[pl.DataFrame, dict[str, object]]:
    assert cli("score", manifest, "-o", target, "--max-error-rate=1", *options).exit_code == 0
    table = pl.read_parquet(target)
    assert table["label"].to_list() == [f"Fru-{number}" for number in range(5)]
    assert table["status"].to_list() == ["ok"] * 4 + ["error"]
    return table, json.loads(pl.read_parquet_metadata(target)["emobatch"])


def check_speech(table: pl.DataFrame, classes: tuple[str, ...]) -> None:
    columns = [f"speech_{name}" for name in classes]
    found = [name for name in table.columns if name.startswith("speech_")]
    assert found == [*columns, "speech_emotion"]
    given = table.select(columns).head(4).to_numpy()
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-12)
    names = [classes[place] for place in given.argmax(axis=1)]
    assert table["speech_emotion"].to_list() == [*names, None]
    entropy = -(given * np.log(given)).sum(axis=1)
    np.testing.assert_allclose(table["entropy"].head(4).to_numpy(), entropy, atol=1e-12)
    assert given.std(axis=0).max() > 0.01


SPEECH = {
    "two by name": (("calm", "tense"), "calm,tense", ("calm", "tense")),
    "two without names": ((), "checkpoint", ("label_0", "label_1")),
    "eight": (EIGHT_LABELS, "eight", EIGHT.classes),
    "twenty-seven of its own": (MANY_LABELS, "checkpoint", MANY_LABELS),
}


@pytest.mark.parametrize("name", SPEECH)
def test_classes_are_those_asked_for(
    cli: Cli, manifest: Path, model_options: list[str], tmp_path: Path, name: str
) -> None:
    labels, classes, wanted = SPEECH[name]
    folder = save_speech(tmp_path / "speech", labels=labels or ("LABEL_0", "LABEL_1"))
    # Names that transformers makes up are not in the file.
    assert ("id2label" in (folder / "config.json").read_text()) == bool(labels)
    options = [*model_options, "--speech-model", folder, "--classes", classes]
    table, made = scored(cli, manifest, tmp_path / "s.parquet", options)
    check_speech(table, wanted)
    assert [name for name in table.columns if name in SENTIMENT] == SENTIMENT
    assert made["task"]["classes"] == list(wanted)
    assert cli("verify", tmp_path / "s.parquet", "--root", manifest.parent).exit_code == 0


def test_outputs_are_mapped_onto_the_classes(
    cli: Cli, manifest: Path, model_options: list[str], tmp_path: Path
) -> None:
    folder = save_speech(tmp_path / "speech")
    common = [*model_options, "--speech-model", folder]
    four, _ = scored(cli, manifest, tmp_path / "four.parquet", common)
    options = [*common, "--classes=upset,other", "--label-map=ang=upset,sad=upset"]
    options += ["--label-map", "hap=other,neu=other", "--sentiment-map", "upset=negative"]
    two, made = scored(cli, manifest, tmp_path / "two.parquet", options)
    upset = four["speech_angry"] + four["speech_sad"]
    np.testing.assert_allclose(two["speech_upset"].head(4), upset.head(4), atol=1e-6)
    assert made["task"]["sentiments"] == {"negative": ["upset"], "neutral": [], "positive": []}
    assert made["options"]["label_map"]["ang"] == "upset"
    assert cli("verify", tmp_path / "two.parquet", "--root", manifest.parent).exit_code == 0


def test_labels_that_cant_be_mapped_name_the_checkpoints_own(
    cli: Cli, manifest: Path, model_options: list[str], tmp_path: Path
) -> None:
    folder = save_speech(tmp_path / "speech", labels=("calm", "tense"))
    message = refusal(cli("score", manifest, *model_options, "--speech-model", folder))
    assert "(calm, tense) can't be mapped onto angry, happy, neutral, sad" in message
    assert "--classes checkpoint" in message


def test_an_emotion_text_model_takes_the_place_of_sentiment(
    cli: Cli, manifest: Path, model_options: list[str], text_emotion: Path, tmp_path: Path
) -> None:
    folder = save_speech(tmp_path / "speech", labels=EIGHT_LABELS)
    options = [*model_options, "--speech-model", folder, "--classes=eight"]
    options += ["--text-model", text_emotion]
    table, made = scored(cli, manifest, tmp_path / "s.parquet", options)
    check_speech(table, EIGHT.classes)
    columns = [f"text_{name}" for name in EIGHT.classes]
    after = table.columns.index("cleaned_text") + 1
    assert table.columns[after:] == [*columns, "text_emotion", "text_score", "status", "error"]
    said = table.filter(pl.col("text_emotion").is_not_null())
    assert len(said) >= 3
    assert said["text_contempt"].null_count() == len(said), "the model knows no contempt"
    known = said.select(columns).drop("text_contempt")
    np.testing.assert_allclose(known.to_numpy().sum(axis=1), 1, atol=1e-12)
    best = [known.columns[place].removeprefix("text_") for place in known.to_numpy().argmax(axis=1)]
    assert said["text_emotion"].to_list() == best
    np.testing.assert_allclose(said["text_score"], known.to_numpy().max(axis=1))
    assert made["models"]["text"]["name"] == str(text_emotion)
    assert set(made["models"]) == {"speech", "asr", "text"}
    assert cli("verify", tmp_path / "s.parquet", "--root", manifest.parent).exit_code == 0


def test_text_labels_outside_the_classes_are_dropped_when_told(
    cli: Cli, manifest: Path, model_options: list[str], text_emotion: Path, tmp_path: Path
) -> None:
    options = [*model_options, "--sentiment-model", text_emotion]
    message = refusal(cli("score", manifest, *options))
    assert "anger, disgust, fear, joy, neutral, sadness, surprise" in message
    options += ["--sentiment-label-map", "disgust=none,fear=none,surprise=none"]
    table, made = scored(cli, manifest, tmp_path / "s.parquet", options)
    columns = [f"text_{name}" for name in ("angry", "happy", "neutral", "sad")]
    found = [name for name in table.columns if name.startswith("text_")]
    assert found == [*columns, "text_emotion", "text_score"]
    said = table.select(columns).drop_nulls().to_numpy()
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-12)
    assert made["options"]["text_label_map"] == dict.fromkeys(("disgust", "fear", "surprise"))
    assert cli("verify", tmp_path / "s.parquet", "--root", manifest.parent).exit_code == 0


def test_a_manifests_columns_are_refused_by_what_this_run_writes(
    cli: Cli, model_options: list[str], tmp_path: Path
) -> None:
    source = tmp_path / "m.csv"
    source.write_text("path,speech_calm,text_score\na.wav,x,y\n")
    assert cli("score", source, "-o", tmp_path / "s.csv", *model_options).exit_code == 3
    folder = save_speech(tmp_path / "speech", labels=("calm", "tense"))
    options = [*model_options, "--speech-model", folder, "--classes=checkpoint"]
    assert "itself writes: speech_calm;" in refusal(cli("score", source, *options))
