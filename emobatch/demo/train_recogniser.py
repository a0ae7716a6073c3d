"""Train the demo's recogniser and writes it in CTranslate2 format."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from ctranslate2.converters.transformers import WhisperLoader
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import WhisperForConditionalGeneration

from emobatch.demo import recogniser_tokens as tokens
from emobatch.demo.corpus import make_training_rows
from emobatch.demo.descent import Descent
from emobatch.demo.recogniser_model import CHUNK_SECONDS, MEL_BINS, TrainingWhisper, new_whisper
from emobatch.demo.sentences import vocabulary
from emobatch.demo.waveforms import SAMPLE_RATE, roughened, waveforms

_LETTERS: Final = " abcdefghijklmnopqrstuvwxyz'"
_IGNORED: Final = -100
_CTC_SHARE: Final = 0.3
_SMOOTHING: Final = 0.05
_SILENT_SHARE: Final = 0.03
_MASK_MELS: Final = 10
_MASK_FRAMES: Final = 12
_LONGEST_EXTRA_FRAMES: Final = 60


@dataclass(frozen=True)
class Plan:
    """How long the recogniser is trained, and on how much.

    Attributes:
        clips: Number of spoken clips.
        epochs: Passes over them.
        batch: Clips a step.
        peak_rate: The highest learning rate.
    """

    clips: int = 7_000
    epochs: int = 10
    batch: int = 32
    peak_rate: float = 2e-3


@dataclass(frozen=True)
class Example:
    """A clip as the recogniser learns it: log-mel features, shape (mels, frames), and words."""

    features: npt.NDArray[np.float32]
    text: str


def log_mel(extractor: FeatureExtractor, sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Compute the features of a clip as faster-whisper's `transcribe` does.

    Returns:
        Shape (mels, frames); the last frame is left out, as `transcribe` leaves it out.
    """
    features = extractor(sound)[:, : extractor.nb_max_frames]
    return np.asarray(features[:, :-1], dtype=np.float32)


def _silence(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Make a clip in which nobody speaks: digital silence, noise or a hum."""
    length = int(rng.uniform(0.3, CHUNK_SECONDS - 0.5) * SAMPLE_RATE)
    noise = 10.0 ** rng.uniform(-4.5, -1.0) * rng.standard_normal(length)
    turns = rng.uniform(50, 2_000) / SAMPLE_RATE * np.arange(length)
    hum = 10.0 ** rng.uniform(-2.0, -0.3) * np.sin(2 * np.pi * turns)
    kinds = (np.zeros(length), noise, noise + hum)
    quiet: npt.NDArray[np.float32] = kinds[rng.integers(len(kinds))].clip(-1, 1).astype(np.float32)
    return quiet


def make_examples(seed: int, clips: int) -> list[Example]:
    """Speak the training clips and computes their features; some clips hold no speech."""
    rng = np.random.default_rng(seed)
    extractor = FeatureExtractor(feature_size=MEL_BINS, chunk_length=CHUNK_SECONDS)
    rows = make_training_rows(seed, clips)
    examples = [
        Example(log_mel(extractor, roughened(sound, rng)), row.text)
        for row, sound in zip(rows, waveforms(rows), strict=True)
    ]
    silences = [_silence(rng) for _ in range(round(_SILENT_SHARE * clips))]
    return examples + [Example(log_mel(extractor, sound), "") for sound in silences]


def _masked(features: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    """Hide a band of mel bins and a stretch of frames, in place (SpecAugment)."""
    band, stretch = rng.integers(_MASK_MELS), rng.integers(_MASK_FRAMES)
    low = rng.integers(features.shape[0] - band + 1)
    start = rng.integers(max(1, features.shape[1] - stretch))
    features[low : low + band] = features.mean()
    features[:, start : start + stretch] = features.mean()


class Batches:
    """Turn examples into batches of like length."""

    def __init__(self, examples: Sequence[Example], tokenizer: Tokenizer, size: int) -> None:
        """Keep the examples.

        Args:
            examples: The clips.
            tokenizer: The recogniser's.
            size: Clips a batch.
        """
        self._examples = sorted(examples, key=lambda example: example.features.shape[1])
        self._tokenizer = tokenizer
        self._size = size

    def __len__(self) -> int:
        """Return the number of batches an epoch has."""
        return math.ceil(len(self._examples) / self._size)

    def epoch(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor, list[str]]]:
        """Yield batches in random order: features, tokens in, tokens out, texts."""
        for number in rng.permutation(len(self)):
            chosen = self._examples[number * self._size : (number + 1) * self._size]
            texts = [example.text for example in chosen]
            yield self._features(chosen, rng), *self._tokens(texts), texts

    def _features(self, chosen: Sequence[Example], rng: np.random.Generator) -> Tensor:
        """Pad features with zeros, by more than needed: how much must not matter."""
        longest = max(example.features.shape[1] for example in chosen)
        frames = min(longest + int(rng.integers(4, _LONGEST_EXTRA_FRAMES)), CHUNK_SECONDS * 100)
        batch = np.zeros((len(chosen), MEL_BINS, frames // 2 * 2), dtype=np.float32)
        for place, example in zip(batch, chosen, strict=True):
            held = example.features.copy()
            _masked(held, rng)
            width = min(held.shape[1], place.shape[1])
            place[:, :width] = held[:, :width]
        return torch.from_numpy(batch)

    def _tokens(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Make the decoder's input and what it should predict, shape (batch, length)."""
        end, start, bare, silent = (
            tokens.id_of(self._tokenizer, name)
            for name in (tokens.END, tokens.START, tokens.NO_TIMESTAMPS, tokens.NO_SPEECH)
        )
        words = [tokens.encode(self._tokenizer, text) for text in texts]
        length = max(len(ids) for ids in words) + 2
        given = torch.full((len(texts), length), end)
        wanted = torch.full((len(texts), length), _IGNORED)
        for row, ids in enumerate(words):
            first = bare if ids else silent
            given[row, : len(ids) + 2] = torch.tensor([start, bare, *ids])
            wanted[row, : len(ids) + 2] = torch.tensor([first, *ids, end])
        return given, wanted


def _ctc_loss(logits: Tensor, texts: Sequence[str]) -> Tensor:
    """Score letters read off the encoder's positions, shape (batch, positions, letters + 1)."""
    spelled = [[_LETTERS.index(letter) + 1 for letter in text] for text in texts]
    flat = torch.tensor([letter for letters in spelled for letter in letters], dtype=torch.long)
    return functional.ctc_loss(
        logits.log_softmax(-1).transpose(0, 1),
        flat,
        torch.full((len(texts),), logits.shape[1]),
        torch.tensor([len(letters) for letters in spelled]),
        zero_infinity=True,
    )


def _loss(
    model: TrainingWhisper, batch: tuple[Tensor, Tensor, Tensor, list[str]], ctc_share: float
) -> Tensor:
    """Combine the transcript's cross-entropy with the letters' CTC loss."""
    features, given, wanted, texts = batch
    encoding, bias = model.encode(features)
    logits = model.decode(given, encoding, bias)
    reading = functional.cross_entropy(
        logits.flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED, label_smoothing=_SMOOTHING
    )
    return (1 - ctc_share) * reading + ctc_share * _ctc_loss(model.letters(encoding), texts)


def fit(
    examples: Sequence[Example], tokenizer: Tokenizer, plan: Plan, seed: int
) -> WhisperForConditionalGeneration:
    """Train a recogniser from scratch."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    whisper = new_whisper(
        tokenizer.get_vocab_size(),
        tokens.id_of(tokenizer, tokens.START),
        tokens.id_of(tokenizer, tokens.END),
    )
    model = TrainingWhisper(whisper, len(_LETTERS) + 1).train()
    batches = Batches(examples, tokenizer, plan.batch)
    descent = Descent(model.parameters(), plan.peak_rate, plan.epochs * len(batches))
    for _ in range(plan.epochs):
        for batch in batches.epoch(rng):
            descent.step(_loss(model, batch, _CTC_SHARE))
    model.train(mode=False)
    return whisper


def write(whisper: WhisperForConditionalGeneration, tokenizer: Tokenizer, folder: Path) -> None:
    """Write a recogniser as faster-whisper reads it: int8 CTranslate2 weights and settings.

    CTranslate2's loader is called on the model itself: its command line reads a saved model and a
    slow tokenizer back, which a tokenizer without Whisper's 50,000 tokens does not have.
    """
    loader = WhisperLoader()
    spec = loader.get_model_spec(whisper)
    names = tokenizer.get_vocab()
    spec.register_vocabulary(sorted(names, key=names.__getitem__))
    spec.config.suppress_ids = []
    # An empty transcript must stay possible: it is what a clip without speech should give.
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = []
    last = whisper.config.decoder_layers - 1
    heads = range(whisper.config.decoder_attention_heads)
    spec.config.alignment_heads = [(last, head) for head in heads]
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {
        "chunk_length": CHUNK_SECONDS,
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": MEL_BINS,
        "hop_length": 160,
        "n_fft": 400,
        "sampling_rate": SAMPLE_RATE,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def train_recogniser(folder: Path, seed: int, plan: Plan) -> None:
    """Train the recogniser and writes it into a folder.

    Args:
        folder: Where the checkpoint goes.
        seed: Decides the clips, the weights and the order of the batches.
        plan: How long to train.
    """
    tokenizer = tokens.make_tokenizer(vocabulary(), CHUNK_SECONDS)
    whisper = fit(make_examples(seed, plan.clips), tokenizer, plan, seed)
    write(whisper, tokenizer, folder)
