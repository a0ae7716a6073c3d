"""Texts and audio files that occur twice, or nearly so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from emobatch.manifests.archives import Part
from emobatch.manifests.blocks import opened
from emobatch.tables.words import plain_words

PAIR_SCHEMA = {"value": pl.String, "like": pl.String, "similarity": pl.Float64}
# Within words: "call me" and "call him" share what is the same in both and no more.
GRAMS = 4
# For one block of distances, MiB; the library's own choice is a thousand.
BLOCK_MEMORY = 128


def plain_text(column: str) -> pl.Expr:
    """Reduce text to what counts for whether two are the same.

    Args:
        column: its name.

    Returns:
        Expression of lower-case words with single spaces and without punctuation; null where
        there is no word.

    Examples:
        >>> pl.DataFrame({"said": ["Well -- I can't!"]}).select(plain_text("said")).item()
        'well i cant'
    """
    words = plain_words(pl.col(column))
    return pl.when(words != "").then(words)


def near_pairs(texts: Sequence[str], others: Sequence[str], similarity: float) -> pl.DataFrame:
    """Find texts that nearly equal one of some others.

    Similarity is the cosine of the counts of four letters in a row within words. That of two texts
    does not depend on what else is in a table. Every text is compared with every other, a block at
    a time: twenty thousand with each other take seconds, a hundred thousand minutes.

    Args:
        texts: (n,) different texts, as :func:`plain_text` gives them.
        others: (m,) different texts to hold against them.
        similarity: the least that counts, 0 to 1.

    Returns:
        ``value`` (of ``texts``), ``like`` (of ``others``) and ``similarity`` for each pair of
        different texts that are so similar.

    Examples:
        >>> one, other = "so you saw the letter in the mail", "so you saw the letters in the mail"
        >>> near_pairs([one], [other], 0.9)["like"].to_list()
        ['so you saw the letters in the mail']
    """
    if not texts or not others:
        return pl.DataFrame(schema=PAIR_SCHEMA)
    import sklearn
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.neighbors import NearestNeighbors

    counter = HashingVectorizer(
        analyzer="char_wb", ngram_range=(GRAMS, GRAMS), alternate_sign=False
    )
    neighbours = NearestNeighbors(metric="cosine", algorithm="brute", radius=1 - similarity)
    neighbours.fit(counter.transform(others))
    with sklearn.config_context(working_memory=BLOCK_MEMORY):
        distances, places = neighbours.radius_neighbors(counter.transform(texts))
    pairs = [
        (text, others[place], 1 - float(distance))
        for text, row, far in zip(texts, places, distances, strict=True)
        for place, distance in zip(row, far, strict=True)
        if text != others[place]
    ]
    return pl.DataFrame(pairs, schema=PAIR_SCHEMA, orient="row")


def digests(files: Iterable[Path | Part]) -> dict[Path | Part, str]:
    """Tell files apart by their content, reading only those of which another has the same size.

    Args:
        files: maybe missing; parts are of archives that are there.

    Returns:
        SHA-256 in hexadecimal for each file that is there, or its size where no other file has
        it.

    Raises:
        OSError: if a file can't be read.
    """
    by_size: dict[int, list[Path | Part]] = {}
    for file in dict.fromkeys(files):
        if isinstance(file, Part):
            by_size.setdefault(file.size, []).append(file)
        elif file.is_file():
            by_size.setdefault(file.stat().st_size, []).append(file)
    found = {same[0]: f"{size} bytes" for size, same in by_size.items() if len(same) == 1}
    doubtful = [file for same in by_size.values() if len(same) > 1 for file in same]
    with ThreadPoolExecutor() as pool:
        found.update(zip(doubtful, pool.map(_digest, doubtful), strict=True))
    return found


def _digest(file: Path | Part) -> str:
    with opened(file) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
