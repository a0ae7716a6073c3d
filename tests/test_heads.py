"""Heads that transformers has no class for, each against a module of its own on each clip alone."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import headed
import numpy as np
import pytest
import torch
from checkpoints import EIGHT_LABELS
from headed import DEVIATION, MEAN, save_audeering, save_challenge, save_challenge_in_three
from torch import nn
from transformers import Wav2Vec2FeatureExtractor

from emobatch.errors import EmobatchError
from emobatch.models import checkpoints, devices, files
from emobatch.models.embedding import Embedding
from emobatch.models.heads import attentive
from emobatch.models.outputs import Outputs
from emobatch.models.speech_classifier import SpeechClassifier

# Samples at 16 kHz, in one batch: a frame, a few, 8 s.
LENGTHS = (400, 900, 8_000, 54_321, 128_000)


class MeanReference(nn.Module):
    """audeering's head, by its description."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        state = torch.load(folder / "pytorch_model.bin", weights_only=True)
        self.encoder = headed.encoder("wav2vec2")
        self.state = {n: v for n, v in state.items() if n.startswith("classifier.")}

    def forward(self, clip: np.ndarray) -> torch.Tensor:
        normal = (clip - clip.mean()) / np.sqrt(clip.var() + 1e-7)
        states = self.encoder(torch.from_numpy(normal)[None].float()).last_hidden_state
        linear = nn.functional.linear
        dense, out = (
            (self.state[f"classifier.{n}.weight"], self.state[f"classifier.{n}.bias"])
            for n in ("dense", "out_proj")
        )
        return linear(torch.tanh(linear(states.mean(dim=1), *dense)), *out)[0]


class AttentiveReference(nn.Module):
    """The challenge's baseline, by its description."""

    def __init__(self, outputs: int, layers: int = 1) -> None:
        super().__init__()
        parts = headed.challenge_state(outputs, layers)
        self.encoder, self.pool, self.ser = headed.encoder("wavlm"), parts["pool"], parts["ser"]
        self.layers = layers

    def forward(self, clip: np.ndarray) -> torch.Tensor:
        normal = (clip.astype(np.float64) - MEAN) / DEVIATION
        frames = self.encoder(torch.from_numpy(normal)[None].float()).last_hidden_state[0]
        linear = [self.pool[f"sap_linear.{name}"] for name in ("weight", "bias")]
        scores = torch.tanh(nn.functional.linear(frames, *linear))
        weights = (scores @ self.pool["attention"]).softmax(dim=0)
        mean = (weights * frames).sum(dim=0)
        deviation = (weights * (frames - mean) ** 2).sum(dim=0).clamp(min=1e-5).sqrt()
        state = torch.cat([mean, deviation])
        for layer in range(self.layers):
            linear = [self.ser[f"fc.{layer}.0.{name}"] for name in ("weight", "bias")]
            norm = [self.ser[f"fc.{layer}.1.{name}"] for name in ("weight", "bias")]
            state = nn.functional.linear(state, *linear)
            state = nn.functional.layer_norm(state, state.shape, *norm).relu()
        return nn.functional.linear(state, self.ser["out.0.weight"], self.ser["out.0.bias"])


def clips() -> list[np.ndarray]:
    generator = np.random.default_rng(11)
    # Noise that swells, so that padding and a stranger's samples both shift what is pooled.
    return [
        (generator.standard_normal(length) * np.linspace(0.01, 0.5, length)).astype(np.float32)
        for length in LENGTHS
    ]


def outputs_of(folder: Path, embedding: Embedding | None = None) -> np.ndarray:
    """(clips, outputs) of a batch, all of them read as they are."""
    checkpoint = checkpoints.find(str(folder), "speech")
    assert checkpoint is not None
    count = len(checkpoint.labels())
    outputs = Outputs([None] * count, 0, tuple(range(count)))
    return SpeechClassifier(checkpoint, devices.choose("cpu"), outputs, embedding).scores(clips())


def alone(reference: Callable[[np.ndarray], torch.Tensor]) -> np.ndarray:
    with torch.inference_mode():
        found = torch.stack([reference(clip) for clip in clips()]).numpy()
    assert found.std(axis=0).max() > 0.02, "the clips must differ for this to show anything"
    return found


def test_audeerings_model_of_attributes(tmp_path: Path) -> None:
    folder = save_audeering(tmp_path / "dim")
    np.testing.assert_allclose(outputs_of(folder), alone(MeanReference(folder)), atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_challenges_baseline(layers: int, tmp_path: Path) -> None:
    folder = save_challenge(tmp_path / "ser", layers=layers)
    wanted = alone(AttentiveReference(8, layers))
    np.testing.assert_allclose(outputs_of(folder), wanted, atol=1e-5)


def test_the_challenges_baseline_in_three_files(tmp_path: Path) -> None:
    folder = save_challenge_in_three(tmp_path / "ser")
    np.testing.assert_allclose(outputs_of(folder), alone(AttentiveReference(8)), atol=1e-5)
    assert labels(folder) == [*EIGHT_LABELS]
    assert labels(save_challenge_in_three(tmp_path / "dim", 3)) == [*headed.AUDEERING]


def test_what_train_writes_is_what_score_reads(tmp_path: Path) -> None:
    encoder, shape = headed.encoder("wav2vec2"), attentive.Shape(layers=2)
    network = attentive.build(encoder, 2, shape).eval()
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    attentive.save(network, tmp_path, ["calm", "tense"], shape, extractor=extractor)
    with torch.inference_mode():
        inputs = [extractor(c, sampling_rate=16_000, return_tensors="pt") for c in clips()]
        wanted = torch.cat([network(i.input_values).logits for i in inputs]).numpy()
    np.testing.assert_allclose(outputs_of(tmp_path), wanted, atol=1e-5)
    assert labels(tmp_path) == ["calm", "tense"]
    normalise = attentive.Normalise(MEAN, DEVIATION)
    attentive.save(
        network, tmp_path, ["calm", "tense"], shape, extractor=extractor, normalise=normalise
    )
    with torch.inference_mode():
        normal = [torch.from_numpy((c - MEAN) / DEVIATION)[None].float() for c in clips()]
        wanted = torch.cat([network(each).logits for each in normal]).numpy()
    np.testing.assert_allclose(outputs_of(tmp_path), wanted, atol=1e-5)


def test_a_residual_layer_adds_its_input() -> None:
    network = attentive.build(headed.encoder(), 2, attentive.Shape())
    plain = attentive.build(headed.encoder(), 2, attentive.Shape(residual=False))
    plain.load_state_dict(network.state_dict())
    pooled = torch.randn(3, 2 * headed.SIZE)
    with torch.inference_mode():
        network.eval(), plain.eval()
        layer, out = network.ser_model.fc[0], network.ser_model.out
        np.testing.assert_allclose(network.ser_model(pooled), out(layer(pooled) + pooled))
        np.testing.assert_allclose(plain.ser_model(pooled), out(layer(pooled)))


@pytest.mark.parametrize("layer", [None, 0, 1])
def test_embeddings_are_pooled_states_of_the_clip_alone(layer: int | None, tmp_path: Path) -> None:
    folder = save_challenge(tmp_path / "ser", ["calm", "tense"])
    found = outputs_of(folder, Embedding(layer, True, headed.SIZE))[:, 2:]
    encoder, wanted = headed.encoder(), []
    with torch.inference_mode():
        for clip in clips():
            normal = torch.from_numpy((clip - MEAN) / DEVIATION)[None].float()
            given = encoder(normal, output_hidden_states=True)
            states = given.last_hidden_state if layer is None else given.hidden_states[layer]
            wanted.append(
                np.hstack([states[0].numpy().mean(axis=0), states[0].numpy().std(axis=0)])
            )
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def labels(folder: Path) -> list[str]:
    checkpoint = checkpoints.find(str(folder), "attribute")
    assert checkpoint is not None
    return checkpoint.labels()


def without(folder: Path, part: str) -> Path:
    """Take weights of a part away."""
    file = folder / "pytorch_model.bin"
    state = torch.load(file, weights_only=True)
    torch.save({n: v for n, v in state.items() if not n.startswith(part)}, file)
    return folder


@pytest.mark.parametrize("part", ["classifier.dense.", "classifier.out_proj.", "wav2vec2.encoder."])
def test_audeerings_kind_without_a_part_is_refused_by_its_name(part: str, tmp_path: Path) -> None:
    folder = without(save_audeering(tmp_path / "dim"), part)
    named = part.removesuffix("encoder.").rstrip(".")
    with pytest.raises(EmobatchError, match=rf"lacks its part {named}: no {part}.*--speech-model"):
        outputs_of(folder)


@pytest.mark.parametrize("part", ["ssl", "pool", "ser"])
def test_the_challenges_baseline_without_a_part_is_refused_by_its_name(
    part: str, tmp_path: Path
) -> None:
    whole = save_challenge(tmp_path / "one")
    from safetensors.torch import load_file, save_file

    state = load_file(whole / "model.safetensors")
    kept = {n: v for n, v in state.items() if not n.startswith(f"{part}_model.")}
    save_file(kept, whole / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EmobatchError, match=f"lacks its part {part}_model: no {part}_model"):
        outputs_of(whole)
    three = save_challenge_in_three(tmp_path / "three")
    (three / f"final_{part}.pt").unlink()
    with pytest.raises(EmobatchError, match=f"lacks its part {part}: no file final_{part}.pt"):
        outputs_of(three)


def test_how_input_was_normalised_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(EmobatchError, match=r"lacks its part std: .*config.json"):
        outputs_of(save_challenge(tmp_path / "one", std=None))
    folder = save_challenge_in_three(tmp_path / "three")
    (folder / "train_norm_stat.pkl").unlink()
    with pytest.raises(EmobatchError, match="lacks its part mean and std"):
        outputs_of(folder)
    with pytest.raises(EmobatchError, match="deviation of"):
        outputs_of(save_challenge(tmp_path / "none", std=-1.0))


def test_what_the_hubs_cache_has_of_them_is_whole_without_an_extractor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_challenge(tmp_path / "commit")
    monkeypatch.setattr("emobatch.models.hub.cached", lambda repository: folder)
    found = checkpoints.find("3loi/SER-Odyssey-Baseline-WavLM-Categorical", "attribute-2")
    assert found is not None and found.option == "--attribute-model"
    names = sorted(file.name for file in folder.iterdir())
    assert files.needed(names, "speech") == ["config.json", "model.safetensors"]
    (folder / "model.safetensors").unlink()
    assert checkpoints.find("3loi/SER-Odyssey-Baseline-WavLM-Categorical", "speech") is None
    three = [each.name for each in save_challenge_in_three(tmp_path / "three").iterdir()]
    assert sorted(files.needed([*three, "README.md"], "speech")) == sorted(three)


class Harmful:
    """Would leave a file behind, were it unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., object], Sequence[object]]:
        return Path.touch, (self.file,)


def test_nothing_of_a_pickle_is_run(tmp_path: Path) -> None:
    folder, left = save_challenge_in_three(tmp_path / "three"), tmp_path / "left"
    (folder / "train_norm_stat.pkl").write_bytes(pickle.dumps(Harmful(left)))
    with pytest.raises(EmobatchError, match="has more than two numbers"):
        outputs_of(folder)
    assert not left.exists()


def test_outputs_that_nothing_names_are_refused(tmp_path: Path) -> None:
    folder = save_challenge(tmp_path / "five", [f"LABEL_{n}" for n in range(5)])
    with pytest.raises(EmobatchError, match="doesn't name its 5 outputs"):
        outputs_of(folder)
    other = save_audeering(tmp_path / "max", pooling_mode="max")
    with pytest.raises(EmobatchError, match="pooling_mode max"):
        outputs_of(other)
    few = save_audeering(tmp_path / "few", id2label={"0": "arousal", "1": "valence"})
    with pytest.raises(EmobatchError, match="is wanted by its config"):
        outputs_of(few)


def test_by_what_input_is_normalised_is_the_configurations_to_say_first(tmp_path: Path) -> None:
    folder = save_challenge_in_three(tmp_path / "three")
    (folder / "config.json").write_text(json.dumps({"mean": 0.0, "std": 1.0}))
    found = outputs_of(folder)
    (folder / "config.json").unlink()
    assert np.abs(found - outputs_of(folder)).max() > 1e-3
