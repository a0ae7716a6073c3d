"""Real architectures with random weights, saved as the hub serves them."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

sys.path.insert(0, str(Path(__file__).parents[1]))

from checkpoints import save_sentiment, save_whisper

LABELS = ("neu", "hap", "ang", "sad")
MOST_NEW_TOKENS = 24
# Of an English-only checkpoint: the start of the transcript, and that there are no timestamps.
PROMPT_TOKENS = 2


def save_wav2vec2_base(folder: Path) -> Path:
    """The architecture of facebook/wav2vec2-base with a head of four classes."""
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        id2label=dict(enumerate(LABELS)), label2id={name: n for n, name in enumerate(LABELS)}
    )
    model = Wav2Vec2ForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.mul_(30)  # so that clips differ
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


def save_whisper_small(folder: Path) -> Path:
    """The architecture of openai/whisper-small in int8; `FOLDER-transformers` is the original."""
    return save_whisper(folder, width=768, layers=12, heads=12, quantization="int8")


def save_xlm_roberta_base(folder: Path) -> Path:
    """The architecture of xlm-roberta-base, with the small tokenizer of the tests."""
    save_sentiment(folder)
    torch.manual_seed(0)
    labels = ("negative", "neutral", "positive")
    config = XLMRobertaConfig(
        vocab_size=250_002,
        max_position_embeddings=514,
        type_vocab_size=1,
        id2label=dict(enumerate(labels)),
        label2id={name: n for n, name in enumerate(labels)},
    )
    (folder / "pytorch_model.bin").unlink()
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    return folder
