"""Checkpoints as the hub's cache holds them, and those that mean harm."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from checkpoints import save_sentiment, save_speech
from safetensors.torch import load_file
from transformers import AutoConfig, dynamic_module_utils

from emobatch.errors import CheckpointError
from emobatch.models import checkpoints
from emobatch.models.checkpoints import Checkpoint

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Harm:
    """A pickle that writes a file when it is opened without care."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.file),)


def to_pickle(folder: Path) -> None:
    """As most checkpoints of 2021 are: a pickle, with weight norm under its old names."""
    weights = load_file(folder / "model.safetensors")
    old = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for name, value in weights.items()
    }
    assert old.keys() != weights.keys()
    torch.save(old, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def speech_scores(folder: Path) -> list[list[float]]:
    import numpy as np

    from emobatch.models import devices
    from emobatch.models.outputs import Outputs
    from emobatch.models.speech_classifier import SpeechClassifier

    clip = np.sin(np.arange(16_000, dtype=np.float32) / 9)
    checkpoint = Checkpoint(str(folder), folder, None, "--speech-model")
    classifier = SpeechClassifier(checkpoint, devices.choose("cpu"), Outputs([2, 1, 0, 3], 4))
    return classifier.scores([clip]).tolist()


def sentiment_scores(folder: Path) -> list[list[float]]:
    from emobatch.models import devices
    from emobatch.models.outputs import Outputs
    from emobatch.models.text_classifier import TextClassifier

    checkpoint = Checkpoint(str(folder), folder, None, "--text-model")
    classifier = TextClassifier(checkpoint, devices.choose("cpu"), Outputs([0, 1, 2], 3))
    return classifier.scores(["well"]).tolist()


def digest(folder: Path) -> str | None:
    return Checkpoint("x", folder, None, "--x").provenance()["digest"]


def test_a_pickle_with_old_names_scores_as_safetensors_do(tmp_path: Path) -> None:
    safe = save_speech(tmp_path / "safe")
    pickled = Path(shutil.copytree(safe, tmp_path / "pickled"))
    to_pickle(pickled)
    # Weights that lie elsewhere in memory are summed in another order: not equal to the last bit.
    assert speech_scores(pickled)[0] == pytest.approx(speech_scores(safe)[0], abs=1e-6)


@pytest.mark.parametrize("place", ["whole", "shard", "named safetensors", "sentiment"])
def test_a_pickle_cant_run_code(tmp_path: Path, place: str) -> None:
    made = tmp_path / "made"
    harm = pickle.dumps({"classifier.weight": Harm(made)}, protocol=2)
    if place == "sentiment":
        folder = save_sentiment(tmp_path / "sentiment")
        (folder / "pytorch_model.bin").write_bytes(harm)
    else:
        folder = save_speech(tmp_path / "speech")
        (folder / "model.safetensors").unlink()
        name = {"whole": "pytorch_model.bin", "shard": "part.bin"}.get(place, "model.safetensors")
        (folder / name).write_bytes(harm)
        index = {"metadata": {}, "weight_map": {"classifier.weight": "part.bin"}}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="can't be loaded"):
        sentiment_scores(folder) if place == "sentiment" else speech_scores(folder)
    assert not made.exists()
    pickle.loads(harm)  # what it would have done
    assert made.exists()


def test_safetensors_are_preferred_to_a_pickle_beside_them(tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech")
    before = digest(folder)
    (folder / "pytorch_model.bin").write_bytes(b"no pickle at all")
    assert speech_scores(folder)
    assert digest(folder) == before


def add_remote_code(folder: Path, made: Path) -> None:
    """Code that makes a folder, and all that would have transformers run it."""
    (folder / "harm.py").write_text(f"import os\nos.makedirs({str(made)!r}, exist_ok=True)\n")
    for file, names in (
        ("config.json", ("AutoConfig", "AutoModelForAudioClassification")),
        ("preprocessor_config.json", ("AutoFeatureExtractor", "AutoProcessor")),
    ):
        content = json.loads((folder / file).read_text())
        content["auto_map"] = dict.fromkeys(names, "harm.Harm")
        (folder / file).write_text(json.dumps(content))


def test_code_beside_a_known_type_is_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_speech(tmp_path / "speech")
    scores = speech_scores(folder)
    add_remote_code(folder, tmp_path / "made")
    assert speech_scores(folder) == scores
    assert not (tmp_path / "made").exists()
    # That it would run if it were trusted.
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    with pytest.raises(AttributeError):
        AutoConfig.from_pretrained(folder, trust_remote_code=True)
    assert (tmp_path / "made").exists()


def test_a_type_that_only_its_own_code_knows_is_refused(tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech")
    add_remote_code(folder, tmp_path / "made")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "harmful"}))
    with pytest.raises(CheckpointError):
        speech_scores(folder)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
def test_attention_from_the_hub_is_not_asked_for(tmp_path: Path, key: str) -> None:
    folder = save_speech(tmp_path / "speech")
    scores = speech_scores(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, key: "some/kernel"}))
    assert speech_scores(folder) == scores


def test_digests_follow_the_weights(tmp_path: Path) -> None:
    one = save_sentiment(tmp_path / "one")
    same = Path(shutil.copytree(one, tmp_path / "same"))
    assert digest(one) == digest(same)
    with (same / "pytorch_model.bin").open("ab") as handle:
        handle.write(b"\0")
    assert digest(one) != digest(same)


@pytest.mark.parametrize("name", ["./nothing", "/nothing/here", "~/models/x", "a/b/c"])
def test_a_path_that_isnt_there_is_not_taken_for_a_hub_name(name: str) -> None:
    with pytest.raises(CheckpointError, match=r"no such folder.*--speech-model"):
        checkpoints.find(name, "speech")


def test_a_file_is_no_checkpoint_and_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"model\.bin: is a file; give --speech-model"):
        checkpoints.find(str(tmp_path / "model.bin"), "speech")


def to_cache(folder: Path, cache: Path, name: str) -> None:
    """Put a checkpoint where the hub's library would have put it."""
    home = cache / "hub" / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, home / "snapshots" / REVISION)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(REVISION)


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory, models: dict[str, Path]) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    to_cache(models["speech"], cache, "superb/wav2vec2-base-superb-er")
    to_cache(models["asr"], cache, "Systran/faster-whisper-large-v3")
    to_cache(models["text"], cache, "cardiffnlp/twitter-xlm-roberta-base-sentiment")
    return cache


def score_offline(cache: Path, manifest: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emobatch", "score", str(manifest), "--offline", *more],
        env={**os.environ, "HF_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_what_is_missing_offline_is_named_with_the_command_that_fetches_it(
    cached: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path\na.wav\n")
    table = tmp_path / "scores.csv"
    result = score_offline(cached, manifest, "-o", str(table), "--sentiment-model", "some/other")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: some/other: not on this machine")
    assert "`emobatch models --fetch --text-model=some/other`" in result.stderr
    assert list(tmp_path.iterdir()) == [manifest]
