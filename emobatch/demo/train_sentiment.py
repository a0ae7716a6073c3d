"""Train the demo's sentiment classifier: a small XLM-RoBERTa with a tokenizer of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import UnigramTrainer
from torch.nn import functional
from transformers import (
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    XLMRobertaTokenizer,
)

from emobatch.demo.descent import Descent
from emobatch.demo.sentences import SENTIMENTS, Sentence, draw_sentence, vocabulary
from emobatch.scorers.cleaning import clean

_SPECIAL: Final = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_LONGEST: Final = 64
_MOST_PIECES: Final = 600


@dataclass(frozen=True)
class Plan:
    """How long the classifier is trained, and on how much.

    Attributes:
        sentences: Number of sentences a pass.
        epochs: Passes, each over sentences drawn anew.
        batch: Sentences a step.
        peak_rate: The highest learning rate.
        word_errors: Share of words dropped, and of words replaced, as a recogniser's errors do.
    """

    sentences: int = 6_000
    epochs: int = 8
    batch: int = 64
    peak_rate: float = 2e-3
    word_errors: float = 0.04


def _misheard(text: str, share: float, rng: np.random.Generator) -> str:
    """Drop some words of a text and replaces some by others."""
    known = vocabulary()
    chances = rng.random(len(text.split()))
    words = [
        word if chance > share else known[int(rng.integers(len(known)))]
        for word, chance in zip(text.split(), chances, strict=True)
        if chance < 1 - share
    ]
    return " ".join(words) or text


def draw_sentences(count: int, rng: np.random.Generator) -> list[Sentence]:
    """Draw training sentences, the three sentiments evenly."""
    return [
        draw_sentence(SENTIMENTS[index % len(SENTIMENTS)], "train", rng) for index in range(count)
    ]


def _variants(
    sentences: Sequence[Sentence], share: float, rng: np.random.Generator
) -> list[Sentence]:
    """Turn sentences into what the classifier will be given: cleaned or raw, partly misheard."""
    texts = [_misheard(sentence.text, share, rng) for sentence in sentences]
    texts = [clean(text) if rng.random() < 2 / 3 else text for text in texts]
    return [
        Sentence(text, sentence.sentiment) for text, sentence in zip(texts, sentences, strict=True)
    ]


def make_tokenizer(texts: Sequence[str]) -> XLMRobertaTokenizer:
    """Make a unigram tokenizer laid out as XLM-RoBERTa's."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = UnigramTrainer(
        vocab_size=_MOST_PIECES,
        special_tokens=list(_SPECIAL),
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    ids = {name: tokenizer.token_to_id(name) for name in _SPECIAL}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])],
    )
    return XLMRobertaTokenizer(tokenizer_object=tokenizer, model_max_length=_LONGEST)


def new_classifier(pieces: int) -> XLMRobertaForSequenceClassification:
    """Make an untrained classifier for a vocabulary of `pieces` pieces."""
    config = XLMRobertaConfig(
        vocab_size=pieces,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=_LONGEST + 2,
        type_vocab_size=1,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        id2label={index: str(name) for index, name in enumerate(SENTIMENTS)},
        label2id={str(name): index for index, name in enumerate(SENTIMENTS)},
    )
    return XLMRobertaForSequenceClassification(config)


def fit(
    tokenizer: XLMRobertaTokenizer, plan: Plan, seed: int
) -> XLMRobertaForSequenceClassification:
    """Train a classifier from scratch."""
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 1])
    model = new_classifier(len(tokenizer))
    model.train()
    steps = plan.epochs * -(-plan.sentences // plan.batch)
    descent = Descent(model.parameters(), plan.peak_rate, steps)
    for _ in range(plan.epochs):
        drawn = _variants(draw_sentences(plan.sentences, rng), plan.word_errors, rng)
        order = rng.permutation(len(drawn))
        for start in range(0, len(order), plan.batch):
            chosen = [drawn[index] for index in order[start : start + plan.batch]]
            texts = [sentence.text for sentence in chosen]
            inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
            wanted = torch.tensor([SENTIMENTS.index(sentence.sentiment) for sentence in chosen])
            loss = functional.cross_entropy(model(**inputs).logits, wanted, label_smoothing=0.02)
            descent.step(loss)
    model.train(mode=False)
    return model


def train_sentiment(folder: Path, seed: int, plan: Plan) -> None:
    """Train the classifier and writes it, with its tokenizer, into a folder.

    Args:
        folder: Where the checkpoint goes.
        seed: Decides the sentences, the weights and the order of the batches.
        plan: How long to train.
    """
    rng = np.random.default_rng([seed, 0])
    sentences = draw_sentences(plan.sentences, rng)
    texts = [sentence.text for sentence in sentences]
    tokenizer = make_tokenizer([*texts, *(clean(text) for text in texts)])
    fit(tokenizer, plan, seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
