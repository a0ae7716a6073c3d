"""The recogniser's tokenizer: byte-level BPE with one token a word, and Whisper's special tokens.

The vocabulary is closed, so a token a word keeps transcripts short; the byte-level alphabet lets
the tokenizer encode any other text too, as faster-whisper asks of it.
"""

from collections.abc import Sequence
from typing import Final

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

END: Final = "<|endoftext|>"
START: Final = "<|startoftranscript|>"
NO_SPEECH: Final = "<|nospeech|>"
NO_TIMESTAMPS: Final = "<|notimestamps|>"

_SPECIAL: Final = (
    END,
    START,
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    NO_SPEECH,
    NO_TIMESTAMPS,
)
_TIMESTAMP_STEP: Final = 0.02
_MOST_TOKENS: Final = 4_000


def make_tokenizer(words: Sequence[str], chunk_seconds: int) -> Tokenizer:
    """Make the tokenizer.

    Args:
        words: The closed vocabulary.
        chunk_seconds: Length of the longest clip; timestamps reach this far.

    Returns:
        A tokenizer whose special tokens follow the text tokens, `<|endoftext|>` first and the
        timestamps last, which is the order faster-whisper and CTranslate2 rely on.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_MOST_TOKENS,
        min_frequency=1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([f" {word}" for word in words], trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    steps = round(chunk_seconds / _TIMESTAMP_STEP)
    stamps = [f"<|{step * _TIMESTAMP_STEP:.2f}|>" for step in range(steps + 1)]
    tokenizer.add_special_tokens(
        [AddedToken(text, special=True, normalized=False) for text in (*_SPECIAL, *stamps)]
    )
    return tokenizer


def id_of(tokenizer: Tokenizer, token: str) -> int:
    """Return the id of a token that must exist.

    Raises:
        KeyError: The tokenizer lacks it.
    """
    found = tokenizer.token_to_id(token)
    if found is None:
        raise KeyError(token)
    return int(found)


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """Turn a transcript into tokens: each word with the space before it."""
    return [
        token
        for word in text.split()
        for token in tokenizer.encode(f" {word}", add_special_tokens=False).ids
    ]
