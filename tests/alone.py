"""What `transformers` gives for one clip or one text at a time: what batches are held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from emobatch.tasks.four import FOUR


def speech(folder: Path, clips: list[np.ndarray]) -> np.ndarray:
    """(clips, 4) probabilities in the order of the default classes."""
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    model = AutoModelForAudioClassification.from_pretrained(folder).eval()
    order = [model.config.label2id[emotion[:3]] for emotion in FOUR.classes]
    with torch.inference_mode():
        inputs = [extractor(clip, sampling_rate=16_000, return_tensors="pt") for clip in clips]
        return torch.cat([model(**i).logits.softmax(-1) for i in inputs])[:, order].numpy()


def text(folder: Path, texts: list[str]) -> np.ndarray:
    """(texts, 3) probabilities in the order of the checkpoint's labels."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    # RoBERTa's kin count positions from behind the padding token's number on.
    limit = model.config.max_position_embeddings - 2 * ("roberta" in model.config.model_type)
    with torch.inference_mode():
        inputs = [
            tokenizer(text, truncation=True, max_length=limit, return_tensors="pt")
            for text in texts
        ]
        return torch.cat([model(**i).logits.softmax(-1) for i in inputs]).numpy()
