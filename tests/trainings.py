"""A corpus that is learned in seconds, and bases of the smallest kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
import transformers
from sounds import save
from transformers import Wav2Vec2FeatureExtractor

from emobatch.tasks.four import FOUR
from emobatch.training.given import Rows
from emobatch.training.options import Options
from emobatch.training.train import train

FAMILIES = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM"}
# By class: rough like noise, or a sine, slow or fast.
LOUD = {"angry": (0.5, 0.0), "happy": (0.1, 2000.0), "neutral": (0.02, 400.0), "sad": (0.0, 150.0)}
WORDS = {"angry": "again", "happy": "wonderful", "neutral": "train", "sad": "nobody"}


def spare(patch: pytest.MonkeyPatch) -> None:
    """Leave out accelerate's looks for garbage, which take longer than a training of seconds."""
    patch.setattr("accelerate.utils.memory.gc.collect", lambda: 0)


def clip(label: str, seconds: float, seed: int) -> np.ndarray:
    """Samples by which a class is told."""
    rng = np.random.default_rng(seed)
    noise, hertz = LOUD[label]
    time = np.arange(round(seconds * 16_000)) / 16_000
    wave = 0.2 * np.sin(2 * np.pi * hertz * time + rng.uniform(0, 6))
    return (wave + noise * rng.normal(0, 0.3, len(time))).astype(np.float32)


def corpus(folder: Path, train_rows: int = 24, val_rows: int = 8) -> Path:
    """Clips of 0.3 to 0.8 s, a quarter of each class, and their manifest."""
    rows = []
    for number in range(train_rows + val_rows):
        label = FOUR.classes[number % 4]
        seconds = 0.3 + (number * 7 % 10) / 20
        save(folder / f"{number}.wav", clip(label, seconds, number))
        split = "train" if number < train_rows else "val"
        said = f"the {WORDS[label]} song {'and ' * (number % 3)}"
        rows.append((f"{number}.wav", f"r{number}", label, f"s{number % 5}", split, said))
    names = ["path", "id", "label", "speaker", "split", "transcript"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(folder / "manifest.csv")
    return folder / "manifest.csv"


def save_base(
    folder: Path,
    family: str = "wav2vec2",
    kind: str = "Model",
    kernels: tuple[int, ...] = (10, 8, 4),
) -> Path:
    """An encoder with random weights, as it was pre-trained (Model) or trained for ASR (ForCTC)."""
    name = FAMILIES[family]
    torch.manual_seed(1)
    layered = family == "wavlm"
    config = getattr(transformers, f"{name}Config")(
        vocab_size=12,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16, 16, 16),
        conv_kernel=kernels,
        conv_stride=(5, 8, 4),
        conv_bias=layered,
        feat_extract_norm="layer" if layered else "group",
        do_stable_layer_norm=layered,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=16,
        mask_time_length=4,
        layerdrop=0.1,
    )
    getattr(transformers, f"{name}{kind}")(config).save_pretrained(folder)
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=layered)
    extractor.save_pretrained(folder)
    return folder


def fit(
    manifest: Path,
    target: Path,
    base: Path,
    *,
    rows: dict[str, Any] | None = None,
    restart: bool = False,
    stop: Callable[[], str | None] = lambda: None,
    **options: Any,
) -> Path:
    """Train in this process, a few seconds of it at most."""
    usual = {"epochs": 2, "learning_rate": 3e-3, "batch": 6.0, "device": "cpu"}
    train(
        Rows(str(manifest), **(rows or {})),
        target,
        Options("speech", str(base), **{**usual, **options}),
        restart=restart,
        stop=stop,
    )
    return target
