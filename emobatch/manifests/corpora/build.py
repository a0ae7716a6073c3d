"""The manifest of a corpus, and how it compares with what its owners publish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from emobatch.errors import ManifestError
from emobatch.manifests.corpora.corpus import Corpus, Row
from emobatch.manifests.corpora.facts import Facts, all_facts
from emobatch.manifests.corpora.files import Files
from emobatch.manifests.corpora.registry import CORPORA
from emobatch.manifests.readers.spool import spooled

FIRST = ("id", "path", "label", "speaker", "transcript", "language")


@dataclass(frozen=True)
class Built:
    """The manifest of a corpus.

    Attributes:
        name: of the corpus.
        facts: what is known of it.
        rows: the manifest.
        missing: ids of rows without audio, which it lacks.
        unknown: audio files that the corpus says nothing of, which it lacks too.
        doubled: audio files whose row is that of another one.
        differences: what differs from the published counts.
    """

    name: str
    facts: Facts
    rows: pl.LazyFrame
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    doubled: tuple[str, ...]
    differences: tuple[str, ...]


def build(name: str, folder: Path) -> Built:
    """Make the manifest of a corpus.

    Args:
        name: see :data:`emobatch.manifests.corpora.registry.CORPORA`.
        folder: the corpus, as its owners ship it.

    Returns:
        The manifest, and what is to be said of it. Paths are relative to the folder.

    Raises:
        UnknownName: if there is no corpus of that name.
        ManifestError: if the folder isn't that of the corpus.
    """
    corpus = CORPORA[name]()
    if not folder.is_dir():
        raise ManifestError("no such folder" if not folder.exists() else "is no folder")
    facts, files = all_facts()[name], Files(folder)
    rows = list(corpus.rows(files))
    if not rows:
        raise ManifestError(
            f"no file in it is one of {name}'s ({len(files.audio)} audio files below it); give "
            "the folder as its owners ship it"
        )
    kept, doubled = _once(rows)
    there = [row for row in kept if row["path"] is not None]
    missing = tuple(row["id"] for row in kept if row["path"] is None)
    if not there:
        raise ManifestError(f"labels of {len(missing)} rows and none of their audio files in it")
    used = {row["path"] for row in there} | set(doubled)
    return Built(
        name,
        facts,
        spooled(_with_language(there, facts), FIRST),
        missing,
        tuple(each for each in files.audio if each not in used),
        doubled,
        tuple(_differences(kept, facts, corpus)),
    )


def _once(rows: list[Row]) -> tuple[list[Row], tuple[str, ...]]:
    # Some are to be had with all files twice, or as MP3 beside WAV.
    by_id: dict[str, Row] = {}
    doubled = []
    for row in rows:
        other = by_id.get(row["id"])
        if other is None or (_is_wav(row) and not _is_wav(other)):
            by_id[row["id"]] = row
        left_out = other if by_id[row["id"]] is row else row
        if left_out is not None and left_out["path"] is not None:
            doubled.append(left_out["path"])
    return list(by_id.values()), tuple(doubled)


def _is_wav(row: Mapping[str, str | None]) -> bool:
    return str(row["path"]).lower().endswith(".wav")


def _with_language(rows: list[Row], facts: Facts) -> Iterator[Row]:
    for row in rows:
        yield {**row, "language": row.get("language", facts.languages[0])}


def _differences(rows: list[Row], facts: Facts, corpus: Corpus) -> Iterator[str]:
    counted = [row for row in rows if corpus.counts(row)]
    labels = Counter(row["label"] for row in counted if row["label"] is not None)
    speakers = len({row.get("speaker") for row in counted})
    if facts.rows is not None and len(counted) != facts.rows:
        yield f"{len(counted)} rows where {facts.rows} are published"
    if facts.speakers is not None and speakers != facts.speakers:
        yield f"{speakers} speakers where {facts.speakers} are published"
    for label in dict.fromkeys((*facts.labels, *sorted(labels))) if facts.labels else ():
        if labels[label] != facts.labels.get(label, 0):
            published = facts.labels.get(label, 0)
            yield f"{labels[label]} rows {label} where {published} are published"
