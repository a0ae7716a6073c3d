"""`score` with attributes and embeddings: of the passes that are run anyway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import headed
import numpy as np
import polars as pl
import pytest
import torch
import transformers
from checkpoints import save_text_emotion
from click.testing import CliRunner
from headed import DEVIATION, MEAN, save_audeering, save_challenge
from refusals import refusal
from sounds import save, tone
from transformers import AutoModel, AutoTokenizer

from emobatch.api.scorer import Scorer
from emobatch.cli.main import main

LABELS = ("Angry", "Sad", "Happy", "Neutral", "valence", "Arousal", "dominance")
TEXT_LABELS = ("anger", "joy", "neutral", "sadness", "activation")
ATTRIBUTES = ("arousal", "valence", "dominance")
SAID = "it was so good"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("attributes")
    return {
        "both": save_challenge(folder / "both", LABELS),
        "dim": save_audeering(folder / "dim"),
        "arousal": save_audeering(folder / "arousal", ["arousal"]),
        "text": save_text_emotion(folder / "text", TEXT_LABELS),
        "valence": save_text_emotion(folder / "valence", ("Valence", "dominance")),
        "unnamed": save_text_emotion(folder / "unnamed", ("LABEL_0", "LABEL_1")),
    }


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips, one of two windows that differ, one in which nothing is said, and none."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    save(folder / "0.wav", tone(1.0))
    save(folder / "1.wav", rng.normal(0, 0.1, 11_000))
    hum = 0.1 * np.sin(np.arange(30 * 16_000) / 20)
    save(folder / "long.wav", np.concatenate([hum, rng.normal(0, 0.2, 8 * 16_000)]))
    save(folder / "silent.wav", np.zeros(8_000))
    rows = [f"{name}.wav,{SAID}" for name in ("0", "1", "long")]
    (folder / "m.csv").write_text("\n".join(["path,transcript", *rows, "silent.wav,", "no.wav,"]))
    return folder / "m.csv"


def options(folders: dict[str, Path]) -> list[str]:
    named = [f"--{kind}-model={folders['both']}" for kind in ("speech", "attribute")]
    texts = [f"--text-model={folders['text']}", f"--text-attribute-model={folders['valence']}"]
    return ["--models=demo", *named, *texts, "--device=cpu", "--max-error-rate=1"]


def run(manifest: Path, target: Path, *others: str) -> pl.DataFrame:
    result = CliRunner().invoke(main, ["score", str(manifest), "-o", str(target), *others])
    assert result.exit_code == 0, result.stderr
    return pl.read_parquet(target)


@pytest.fixture(scope="module")
def scored(
    folders: dict[str, Path], manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, pl.DataFrame, dict[str, int]]]:
    """A table with all of it, and how many rows of a batch each encoder was given."""
    runs: dict[str, int] = {}

    def counted(kind: type) -> object:
        forward = kind.forward

        def count(self: object, *given: object, **named: object) -> object:
            rows = next(v for v in (*given, *named.values()) if isinstance(v, torch.Tensor))
            runs[kind.__name__] = runs.get(kind.__name__, 0) + len(rows)
            return forward(self, *given, **named)

        return count

    target = tmp_path_factory.mktemp("table") / "scores.parquet"
    others = [*options(folders), "--embeddings", "--pooling=mean+std", "--asr-embeddings"]
    with pytest.MonkeyPatch.context() as patch:
        for kind in (transformers.WavLMModel, transformers.BertModel):
            patch.setattr(kind, "forward", counted(kind))
        table = run(manifest, target, *others, "--attribute-range=1:7", "--workers=1")
    yield target, table, runs


def test_each_encoder_is_run_once_for_all_that_is_read_of_it(
    scored: tuple[Path, pl.DataFrame, dict[str, int]],
) -> None:
    # Five windows of four clips; three texts, each for the emotions and for the other attributes.
    assert scored[2] == {"WavLMModel": 5, "BertModel": 6}


def test_columns_and_types(scored: tuple[Path, pl.DataFrame, dict[str, int]]) -> None:
    schema = scored[1].schema
    attributes = [f"{side}_{name}" for side in ("speech", "text") for name in ATTRIBUTES]
    wide = pl.Array(pl.Float32, 2 * headed.SIZE)
    embeddings = ["speech_embedding", "asr_embedding", "text_embedding"]
    assert list(schema)[-11:] == [*attributes, *embeddings, "status", "error"]
    assert [schema[name] for name in attributes] == [pl.Float64] * 6
    assert [schema[name] for name in embeddings] == [wide, pl.Array(pl.Float32, 256), wide]
    assert [name for name in schema if name.startswith("speech_")][:4] == [
        *("speech_angry", "speech_happy", "speech_neutral", "speech_sad")
    ]


def test_what_has_no_value_is_null(scored: tuple[Path, pl.DataFrame, dict[str, int]]) -> None:
    table = scored[1]
    assert table["status"].to_list() == ["ok"] * 4 + ["error"]
    for name in table.columns:
        if name.endswith("_embedding") or name.partition("_")[2] in ATTRIBUTES:
            nulls = {"speech": [4], "text": [3, 4]}.get(name.partition("_")[0], [0, 1, 2, 3, 4])
            assert table[name].is_null().arg_true().to_list() == nulls, name


def test_speech_values_are_those_of_the_clip_alone(
    scored: tuple[Path, pl.DataFrame, dict[str, int]], manifest: Path
) -> None:
    """Windows of a long clip count by their duration, as their probabilities do."""
    import soundfile
    from test_heads import AttentiveReference

    reference = AttentiveReference(len(LABELS))
    for row in scored[1].head(3).iter_rows(named=True):
        samples, _ = soundfile.read(manifest.parent / row["path"], dtype="float32")
        windows = [samples[: 30 * 16_000], samples[30 * 16_000 :]]
        windows = [window for window in windows if len(window)]
        weights = [len(window) / len(samples) for window in windows]
        with torch.inference_mode():
            outputs = np.average([reference(w).numpy() for w in windows], axis=0, weights=weights)
            states = [
                reference.encoder(torch.from_numpy((w - MEAN) / DEVIATION)[None].float())
                .last_hidden_state[0]
                .numpy()
                for w in windows
            ]
        pooled = [np.hstack([each.mean(axis=0), each.std(axis=0)]) for each in states]
        wanted = np.average(pooled, axis=0, weights=weights)
        np.testing.assert_allclose(row["speech_embedding"], wanted, atol=1e-5)
        for place, name in ((4, "valence"), (5, "arousal"), (6, "dominance")):
            assert row[f"speech_{name}"] == pytest.approx(1 + 6 * outputs[place], abs=6e-5)


def test_text_values_are_those_of_transformers(
    scored: tuple[Path, pl.DataFrame, dict[str, int]], folders: dict[str, Path]
) -> None:
    row = scored[1].row(0, named=True)
    tokens = AutoTokenizer.from_pretrained(folders["text"])(
        row["cleaned_text"], return_tensors="pt"
    )
    classifier = transformers.AutoModelForSequenceClassification
    with torch.inference_mode():
        states = AutoModel.from_pretrained(folders["text"]).eval()(**tokens).last_hidden_state[0]
        arousal = classifier.from_pretrained(folders["text"]).eval()(**tokens).logits[0, 4]
        valence = classifier.from_pretrained(folders["valence"]).eval()(**tokens).logits[0, 0]
    wanted = np.hstack([states.numpy().mean(axis=0), states.numpy().std(axis=0)])
    np.testing.assert_allclose(row["text_embedding"], wanted, atol=1e-5)
    assert row["text_arousal"] == pytest.approx(1 + 6 * float(arousal), abs=1e-4)
    assert row["text_valence"] == pytest.approx(1 + 6 * float(valence), abs=1e-4)


def test_what_a_table_was_made_with_is_held_against_the_next_run(
    scored: tuple[Path, pl.DataFrame, dict[str, int]], manifest: Path, folders: dict[str, Path]
) -> None:
    target = scored[0]
    command = [
        "score",
        "-q",
        str(manifest),
        "-o",
        str(target),
        *options(folders),
        "--attribute-range=1:7",
    ]
    other = CliRunner().invoke(main, [*command, "--embeddings"])
    assert "differs in --pooling (was mean+std), --asr-embeddings (was given); " in refusal(other)
    verified = CliRunner().invoke(main, ["verify", str(target), "--root", str(manifest.parent)])
    assert verified.exit_code == 0, verified.output
    made = json.loads(pl.read_parquet_metadata(target)["emobatch"])
    assert {*made["models"]} == {"speech", "asr", "text", "attribute", "text-attribute"}


@pytest.mark.parametrize("target", ["scores.csv", "scores.jsonl", None])
def test_embeddings_need_parquet(target: str | None, manifest: Path, tmp_path: Path) -> None:
    output = [] if target is None else ["-o", str(tmp_path / target)]
    command = ["score", "-q", str(manifest), *output, "--models=demo", "--embeddings"]
    assert "no place for the arrays of --embeddings; write Parquet" in refusal(
        CliRunner().invoke(main, command)
    )


def test_models_beside_the_speech_model(folders: dict[str, Path], manifest: Path) -> None:
    """Two checkpoints of different attributes, the model's own scale, numbers of half precision."""
    with Scorer(
        models="demo",
        attribute_model=[str(folders["arousal"])],
        embeddings=True,
        layer=1,
        embedding_type="float16",
        text="none",
        device="cpu",
    ) as scorer:
        table = scorer.score(pl.read_csv(manifest).with_columns(
            path=pl.format("{}/{}", pl.lit(str(manifest.parent)), "path")
        ))  # fmt: skip
    assert table.schema["speech_embedding"] == pl.Array(pl.Float16, 96)
    assert "speech_valence" not in table.columns and "text_embedding" not in table.columns
    assert table["speech_arousal"].null_count() == 1


def test_a_row_that_fails_later_on_has_no_embedding(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, texts: list[str]) -> object:
        raise RuntimeError("no")

    monkeypatch.setattr("emobatch.models.text_classifier.TextClassifier.scores", fail)
    with Scorer(models="demo", embeddings=True, root=manifest.parent, device="cpu") as scorer:
        row = scorer.score(pl.read_csv(manifest).head(1)).row(0, named=True)
    assert row["error"] == "sentiment: no" and row["speech_angry"] is not None
    assert row["speech_embedding"] is None and row["text_embedding"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--attribute-model={dim}", "--attribute-model={arousal}"], "both give arousal"),
        (["--text-attribute-model={unnamed}"], r"none of its outputs (LABEL_0, LABEL_1)"),
        (["--speech-model={dim}"], "attributes and no classes; give it as --attribute-model"),
        (["--attribute-range=7:1", "--attribute-model={dim}"], "give LOW:HIGH, as 1:7"),
        (["--attribute-range=1:7"], "no model of this run gives attributes"),
        (["--layer=1"], "--layer is about --embeddings"),
        (["--layer=9", "--embeddings"], "its encoder has 2 layers; give 0 to 2"),
        (["--attribute-model={dim}", "--speech=none"], "--attribute-model is for the branch"),
    ],
)
def test_refusals(
    given: list[str], said: str, folders: dict[str, Path], manifest: Path, tmp_path: Path
) -> None:
    filled = [each.format(**folders) for each in given]
    command = [
        "score",
        "-q",
        str(manifest),
        "-o",
        str(tmp_path / "s.parquet"),
        "--models=demo",
        *filled,
    ]
    assert said in refusal(CliRunner().invoke(main, command))


def test_models_and_doctor_know_them(folders: dict[str, Path]) -> None:
    given = [*options(folders)[:-2], f"--attribute-model={folders['arousal']}"]
    listed = CliRunner().invoke(main, ["models", "--json", *options(folders)[:5]])
    assert listed.exit_code == 0, listed.stderr
    models = json.loads(listed.stdout)
    assert (
        models["attribute"]["folder"] == str(folders["both"]) and models["text-attribute"]["digest"]
    )
    done = CliRunner().invoke(main, ["doctor", "--json", *given])
    found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    assert not found["attribute scores"]["passed"], "two of them give arousal"
    assert "both give arousal" in found["attribute scores"]["says"]
    done = CliRunner().invoke(main, ["doctor", "--json", *options(folders)[:-1]])
    found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    for name in ("speech scores", "attribute scores", "text scores", "text-attribute scores"):
        assert found[name]["passed"], found[name]
