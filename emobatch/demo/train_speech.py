"""Train the demo's speech emotion classifier: a small wav2vec 2.0.

It learns what listeners heard, as classifiers trained on annotated corpora do, and the demo judges
it by what speakers meant. So it is unsure about half-hearted clips, and rightly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
)

from emobatch.demo.corpus import Row, make_training_rows
from emobatch.demo.descent import Descent
from emobatch.demo.prosody import Emotion
from emobatch.demo.waveforms import SAMPLE_RATE, roughened, waveforms

_NAMES: Final[dict[Emotion, str]] = {
    "angry": "ang",
    "happy": "hap",
    "neutral": "neu",
    "sad": "sad",
}
"""What hub checkpoints trained on IEMOCAP call the emotions."""

_LONGEST_CUT: Final = 20_000
"""Samples of a clip that training hears at a time."""

_ORDER: Final[tuple[Emotion, ...]] = ("neutral", "happy", "angry", "sad")


@dataclass(frozen=True)
class Plan:
    """How long the classifier is trained, and on how much.

    Attributes:
        clips: Number of clips.
        epochs: Passes over them.
        batch: Clips a step.
        peak_rate: The highest learning rate.
        smoothing: Label smoothing, 0 to 1.
    """

    clips: int = 6_000
    epochs: int = 14
    batch: int = 24
    peak_rate: float = 1.5e-3
    smoothing: float = 0.02


def new_classifier() -> Wav2Vec2ForSequenceClassification:
    """Make an untrained classifier.

    Pitch and its movement tell these emotions apart, so the convolutions reach further in time
    than wav2vec 2.0's own and have far fewer channels. The classifier reads a
    weighted sum of all layers, the convolutions' own among them, which trains faster.
    """
    config = Wav2Vec2Config(
        vocab_size=32,
        hidden_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=192,
        conv_dim=(32, 48, 64, 96),
        conv_kernel=(40, 16, 8, 4),
        conv_stride=(10, 4, 4, 2),
        conv_bias=False,
        use_weighted_layer_sum=True,
        feat_extract_norm="group",
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        hidden_dropout=0.1,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.1,
        final_dropout=0.0,
        layerdrop=0.0,
        apply_spec_augment=False,
        classifier_proj_size=96,
        id2label={index: _NAMES[emotion] for index, emotion in enumerate(_ORDER)},
        label2id={_NAMES[emotion]: index for index, emotion in enumerate(_ORDER)},
    )
    return Wav2Vec2ForSequenceClassification(config)


def new_extractor() -> Wav2Vec2FeatureExtractor:
    """Make the feature extractor: each clip to zero mean and unit variance."""
    return Wav2Vec2FeatureExtractor(  # type: ignore[no-untyped-call]
        feature_size=1,
        sampling_rate=SAMPLE_RATE,
        padding_value=0.0,
        do_normalize=True,
        return_attention_mask=False,
    )


def _epoch(
    sounds: Sequence[npt.NDArray[np.float32]],
    labels: npt.NDArray[np.int64],
    batch: int,
    rng: np.random.Generator,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches: sounds, shape (batch, samples), and label indices, shape (batch,).

    The classifier has no attention mask and normalises over time, so padding would change its
    answer. Clips of like length are batched and cut at random to the shortest among them, or
    to a length that shows enough of the prosody.
    """
    lengths = np.array([len(sound) for sound in sounds])
    order = np.argsort(lengths + rng.uniform(0, 0.05 * SAMPLE_RATE, len(lengths)))
    groups = [order[start : start + batch] for start in range(0, len(order), batch)]
    for number in rng.permutation(len(groups)):
        chosen = groups[number]
        shortest = min(int(lengths[chosen].min()), _LONGEST_CUT)
        starts = [int(rng.integers(lengths[index] - shortest + 1)) for index in chosen]
        cut = [
            sounds[index][start : start + shortest]
            for index, start in zip(chosen, starts, strict=True)
        ]
        yield torch.from_numpy(np.stack(cut)), torch.from_numpy(labels[chosen])


def _prepared(
    rows: Sequence[Row], extractor: Wav2Vec2FeatureExtractor, seed: int
) -> list[npt.NDArray[np.float32]]:
    """Speak clips and normalises them; each has shape (samples,)."""
    rng = np.random.default_rng(seed)
    rough = [roughened(sound, rng) for sound in waveforms(rows)]
    return [
        extractor(sound, sampling_rate=SAMPLE_RATE, return_tensors="np")["input_values"][0]
        for sound in rough
    ]


def fit(
    sounds: Sequence[npt.NDArray[np.float32]],
    labels: npt.NDArray[np.int64],
    plan: Plan,
    seed: int,
) -> Wav2Vec2ForSequenceClassification:
    """Train a classifier from scratch."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = new_classifier()
    model.train()
    steps = plan.epochs * -(-len(sounds) // plan.batch)
    descent = Descent(model.parameters(), plan.peak_rate, steps)
    for _ in range(plan.epochs):
        for heard, wanted in _epoch(sounds, labels, plan.batch, rng):
            logits = model(heard).logits
            loss = functional.cross_entropy(logits, wanted, label_smoothing=plan.smoothing)
            descent.step(loss)
    model.train(mode=False)
    return model


def train_speech(folder: Path, seed: int, plan: Plan) -> None:
    """Train the classifier and writes it into a folder.

    Args:
        folder: Where the checkpoint goes.
        seed: Decides the clips, the weights and the order of the batches.
        plan: How long to train.
    """
    rows = make_training_rows(seed, plan.clips)
    extractor = new_extractor()
    labels = np.array([_ORDER.index(row.heard) for row in rows], dtype=np.int64)
    model = fit(_prepared(rows, extractor, seed), labels, plan, seed)
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
