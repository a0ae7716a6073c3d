"""Small checkpoints of kinds that transformers has no class for, in the layouts they come in."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from checkpoints import EIGHT_LABELS
from safetensors.torch import save_file
from torch import nn
from transformers import (
    PreTrainedModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

SIZE = 32
MEAN, DEVIATION = -0.0002, 0.08
AUDEERING = ("arousal", "dominance", "valence")
State = dict[str, torch.Tensor]


def encoder(family: str = "wavlm") -> PreTrainedModel:
    """An encoder whose states vary with the clip, as a trained one's do, and with its loudness."""
    config_class, model_class = {
        "wavlm": (WavLMConfig, WavLMModel),
        "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model),
    }[family]
    torch.manual_seed(7)
    config = config_class(
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        conv_bias=True,
        hidden_size=SIZE,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=(32,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    model = model_class(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model.eval()


def named_as_once(state: Mapping[str, torch.Tensor], prefix: str = "") -> State:
    """Weights as checkpoints of torch before 2.0 call them."""
    return {
        prefix
        + name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value.contiguous()
        for name, value in state.items()
    }


def save_audeering(folder: Path, labels: Sequence[str] = AUDEERING, **config: object) -> Path:
    """As `audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim`: one pickle, and the old names."""
    folder.mkdir(parents=True, exist_ok=True)
    base = encoder("wav2vec2")
    state = named_as_once(base.state_dict(), "wav2vec2.")
    torch.manual_seed(1)
    for name, layer in {
        "dense": nn.Linear(SIZE, SIZE),
        "out_proj": nn.Linear(SIZE, len(labels)),
    }.items():
        state |= {f"classifier.{name}.{key}": value for key, value in layer.state_dict().items()}
    state = {name: value.detach() for name, value in state.items()}
    torch.save(state, folder / "pytorch_model.bin")
    said = {
        **base.config.to_dict(),
        "architectures": ["Wav2Vec2ForSpeechClassification"],
        "finetuning_task": "wav2vec2_reg",
        "pooling_mode": "mean",
        "problem_type": "regression",
        "id2label": dict(enumerate(labels)),
        "vocab_size": None,
        **config,
    }
    (folder / "config.json").write_text(json.dumps(said))
    (folder / "vocab.json").write_text("{}")
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    return folder


def challenge_state(outputs: int, layers: int = 1) -> dict[str, State]:
    """Weights of the challenge's baseline, by part."""
    base = encoder("wavlm")
    torch.manual_seed(2)
    pool = {
        **{f"sap_linear.{n}": v for n, v in nn.Linear(SIZE, SIZE).state_dict().items()},
        "attention": torch.randn(SIZE, 1),
    }
    ser: State = {}
    for layer in range(layers):
        linear, norm_layer = nn.Linear(SIZE if layer else 2 * SIZE, SIZE), nn.LayerNorm(SIZE)
        ser |= {f"fc.{layer}.0.{n}": v for n, v in linear.state_dict().items()}
        ser |= {f"fc.{layer}.1.{n}": v * 1.1 for n, v in norm_layer.state_dict().items()}
    ser |= {f"out.0.{n}": v for n, v in nn.Linear(SIZE, outputs).state_dict().items()}
    parts = {"ssl": named_as_once(base.state_dict()), "pool": pool, "ser": ser}
    return {part: {n: v.detach() for n, v in state.items()} for part, state in parts.items()}


def save_challenge(
    folder: Path,
    labels: Sequence[str] = EIGHT_LABELS,
    *,
    layers: int = 1,
    **config: object,
) -> Path:
    """As `3loi/SER-Odyssey-Baseline-WavLM-…`: one file, and code that is never needed."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = challenge_state(len(labels), layers)
    state = {f"{part}_model.{n}": v for part, each in parts.items() for n, v in each.items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    said = {
        "architectures": ["SERModel"],
        "auto_map": {
            "AutoConfig": "pipeline_utils.SERConfig",
            "AutoModelForAudioClassification": "pipeline_utils.SERModel",
        },
        "model_type": "ser",
        "classifier_dropout_prob": 0.5,
        "classifier_hidden_layers": layers,
        "hidden_size": SIZE,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "num_classes": len(labels),
        "id2label": dict(enumerate(labels)),
        "ssl_type": "microsoft/wavlm-large",
        "sampling_rate": 16_000,
        "mean": MEAN,
        "std": DEVIATION,
        **config,
    }
    (folder / "config.json").write_text(json.dumps(said))
    (folder / "pipeline_utils.py").write_text("raise SystemExit('code of a checkpoint was run')")
    return folder


def save_challenge_in_three(folder: Path, outputs: int = 8) -> Path:
    """As the challenge's training writes it: three pickles, and one of two numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, state in challenge_state(outputs).items():
        torch.save(state, folder / f"final_{part}.pt")
    with (folder / "train_norm_stat.pkl").open("wb") as file:
        pickle.dump((np.float64(MEAN), np.float64(DEVIATION)), file)
    return folder
