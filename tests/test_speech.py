"""The speech branch against `transformers` run on each clip alone."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import alone
import numpy as np
import pytest
import torch
from checkpoints import save_speech
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from emobatch.errors import CheckpointError, LabelError
from emobatch.models import devices, speech_classifier
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.classifiers import class_probabilities
from emobatch.models.outputs import Outputs
from emobatch.models.speech_classifier import SpeechClassifier
from emobatch.tasks.four import FOUR
from emobatch.tasks.labels import checkpoint_classes

# Samples at 16 kHz: one frame, two, 56 ms … 19 s: more frames than WavLM tells distances apart by.
LENGTHS = (400, 720, 900, 8_000, 16_001, 54_321, 120_000, 300_000)
KINDS = [
    ("wav2vec2", "group"),
    ("wav2vec2", "layer"),
    ("hubert", "group"),
    ("hubert", "layer"),
    ("wavlm", "group"),
    ("wavlm", "layer"),
]


def clips() -> list[np.ndarray]:
    generator = np.random.default_rng(11)
    # Noise that swells, so that padding and a stranger's samples both shift a mean over time.
    return [
        (generator.standard_normal(length) * np.linspace(0.01, 0.5, length)).astype(np.float32)
        for length in LENGTHS
    ]


def classifier(folder: Path, **label_map: str | None) -> SpeechClassifier:
    checkpoint = Checkpoint(str(folder), folder, None, "--speech-model")
    classes = checkpoint_classes(checkpoint.labels(), FOUR.labels, label_map, "--label-map")
    return SpeechClassifier(checkpoint, devices.choose("cpu"), Outputs(classes, 4))


@pytest.mark.parametrize(("family", "norm"), KINDS)
def test_a_batch_scores_as_each_clip_alone(family: str, norm: str, tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech", family, norm)
    batch = classifier(folder).scores(clips())
    single = alone.speech(folder, clips())
    assert single.std(axis=0).max() > 0.05, "the clips must differ for this to show anything"
    np.testing.assert_allclose(batch, single, atol=1e-5)
    np.testing.assert_allclose(batch.sum(axis=1), 1, atol=1e-12)


def test_padding_moves_group_norm_without_the_shield(tmp_path: Path) -> None:
    """The bug that the own-frames encoder is there for does exist."""
    folder = save_speech(tmp_path / "speech", "wav2vec2", "group")
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    model = AutoModelForAudioClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        inputs = extractor(
            clips(), sampling_rate=16_000, return_tensors="pt", padding=True,
            return_attention_mask=True,
        )  # fmt: skip
        padded = model(**inputs).logits.softmax(dim=-1).numpy()
    single = alone.speech(folder, clips())
    order = [model.config.label2id[emotion[:3]] for emotion in FOUR.classes]
    assert np.abs(padded[:, order] - single).max() > 0.01


def test_what_batching_would_change_is_run_clip_by_clip(tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech", "hubert", "layer", conv_pos_batch_norm=True)
    batch = classifier(folder).scores(clips())
    np.testing.assert_allclose(batch, alone.speech(folder, clips()), atol=1e-5)


def test_labels_without_meaning_are_refused_and_can_be_named(tmp_path: Path) -> None:
    labels = ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3")
    folder = save_speech(tmp_path / "numbered", labels=labels)
    with pytest.raises(LabelError, match=r"LABEL_0, LABEL_1.*--label-map.*--classes checkpoint"):
        classifier(folder)
    named = classifier(
        folder, label_0="neutral", label_1="happy", label_2="angry", label_3="sad"
    ).scores(clips())
    plain = classifier(save_speech(tmp_path / "plain")).scores(clips())
    np.testing.assert_array_equal(named, plain)


def test_extra_classes_are_merged_or_dropped(tmp_path: Path) -> None:
    labels = ("angry", "excited", "happy", "neutral", "sad", "fear")
    folder = save_speech(tmp_path / "six", labels=labels)
    with pytest.raises(LabelError, match="fear"):
        classifier(folder)
    scores = classifier(folder, fear=None).scores(clips())
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    model = AutoModelForAudioClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        inputs = extractor(clips()[3], sampling_rate=16_000, return_tensors="pt")
        kept = model(**inputs).logits[0, :5].softmax(dim=-1).numpy()
    wanted = [kept[0], kept[1] + kept[2], kept[3], kept[4]]
    np.testing.assert_allclose(scores[3], wanted, atol=1e-5)


def test_a_checkpoint_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech")
    model = AutoModelForAudioClassification.from_pretrained(folder)
    model.base_model.save_pretrained(folder)
    config = folder / "config.json"
    config.write_text(
        config.read_text().replace("Wav2Vec2Model", "Wav2Vec2ForSequenceClassification")
    )
    with pytest.raises(CheckpointError, match=r"not a trained classifier.*classifier\.weight"):
        classifier(folder)


def test_a_checkpoint_for_another_rate_is_refused(tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech")
    config = folder / "preprocessor_config.json"
    config.write_text(config.read_text().replace("16000", "8000"))
    with pytest.raises(CheckpointError, match="8000 Hz"):
        classifier(folder)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"]["4"] = "calm"
    config["label2id"]["calm"] = 4
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"can't be loaded: .*; give --speech-model another"):
        classifier(folder, calm=None)


@pytest.mark.parametrize(
    "config",
    [
        *({"model_type": name} for name in ("wav2vec2-conformer", "unispeech-sat", "unispeech")),
        *({"model_type": name} for name in ("sew", "sew-d", "data2vec-audio", "whisper")),
        {"model_type": "hubert", "conv_pos_batch_norm": True},
    ],
    ids=str,
)
def test_no_other_family_is_batched(config: dict[str, object]) -> None:
    """None of them is shown to be free of batch effects."""
    assert (
        speech_classifier._shield_encoder(SimpleNamespace(config=SimpleNamespace(**config))) is None
    )


def test_outputs_that_are_dropped_leave_their_share_to_the_others() -> None:
    logits = torch.tensor([[1.0, 4.0, 3.0, 0.5]])
    given = class_probabilities(logits, [1, None, 0, 1], 3)
    shares = np.exp([1.0, 3.0, 0.5]) / np.exp([1.0, 3.0, 0.5]).sum()
    np.testing.assert_allclose(given, [[shares[1], shares[0] + shares[2], 0.0]])
