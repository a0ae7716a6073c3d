"""`emobatch manifest`: any source, or a corpus, as a table of the columns that emobatch goes by."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import ManifestError, StorageError
from emobatch.manifests import manifest
from emobatch.manifests.archives import split
from emobatch.manifests.corpora.build import Built, build
from emobatch.manifests.reading import AS_IT_IS, Reading
from emobatch.storage.address import Address, Place, at
from emobatch.tables import reading, writing
from emobatch.tables.provenance import software
from emobatch.tasks import choose
from emobatch.tasks.label_columns import read_labels
from emobatch.tasks.labels import parse_label_map

log = logging.getLogger(__name__)

# Where a class takes a label's place, the label stands here.
GIVEN_LABEL = "given_label"


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        rows: how many.
        labels: rows by label, the most frequent first; None is for those without.
        speakers: rows by speaker.
        corpus: what there is to say of a corpus, None for any other source.
    """

    rows: int
    labels: Sequence[tuple[str | None, int]]
    speakers: Sequence[tuple[str | None, int]]
    corpus: Built | None


def convert(
    source: str,
    target: Path | None,
    *,
    corpus: str | None = None,
    how: Reading = AS_IT_IS,
    classes: str | None = None,
    label_map: Sequence[str] = (),
) -> Converted:
    """Write the manifest of a source or of a corpus.

    Args:
        source: what `score` takes, or the folder of a corpus.
        target: the manifest, standard output where None.
        corpus: its name; None for any other source.
        how: any other source is read.
        classes: keep rows of these classes alone, under these names; None keeps all as they are.
        label_map: pairs NAME=CLASS.

    Returns:
        What was written.

    Raises:
        EmobatchError: if the source can't be read, its labels not be mapped, or the manifest not
            be written.
    """
    writing.check_target(target, sources=[source])
    built: Built | None = None
    folder: Place
    if corpus is None:
        read = manifest.read(source, how)
        rows, folder = read.rows, read.root
    else:
        with reading.explained(source):
            built = build(corpus, Path(source))
        rows, folder = built.rows, Path(source)
    with reading.explained(source):
        table = rebased(rows, folder, target).collect()
        if classes is not None or label_map:
            table = _of_classes(table, classes or choose.DEFAULT, label_map)
    made: dict[str, Any] = {"software": software([])}
    writing.write(table.lazy(), target, made)
    return Converted(len(table), _counts(table, "label"), _counts(table, "speaker"), built)


def rebased(rows: pl.LazyFrame, root: Place, target: Path | None) -> pl.LazyFrame:
    """Make paths relative to where a manifest will be.

    Args:
        rows: with ``path``.
        root: folder that their paths are relative to.
        target: the manifest to be written, None for standard output.

    Returns:
        The rows; below the manifest's folder (of standard output: the working folder) with paths
        relative to it, else with whole ones or addresses.

    Examples:
        >>> rows = pl.LazyFrame({"path": ["a.wav", "/b.wav"]})
        >>> rebased(rows, Path("/data/clips"), Path("/data/m.csv")).collect()["path"].to_list()
        ['clips/a.wav', '/b.wav']
    """
    if isinstance(root, Address):
        return _with_addresses(rows, root)
    home = Path() if target is None else target.parent
    whole, below = Path(os.path.abspath(root)), Path(os.path.abspath(home))  # noqa: PTH100 - links
    before = whole.relative_to(below) if whole.is_relative_to(below) else whole
    if before == Path():
        return rows
    path = pl.col("path")
    is_whole = path.str.starts_with("/") | path.str.contains(r"^[A-Za-z][A-Za-z0-9+.-]*:")
    prefix = pl.lit(before.as_posix().rstrip("/") + "/")
    return rows.with_columns(path=pl.when(is_whole).then(path).otherwise(prefix + path))


def _with_addresses(rows: pl.LazyFrame, root: Address) -> pl.LazyFrame:
    # Each by itself, as `score` finds them: names may need to be written otherwise.
    def whole(path: str) -> str:
        name, member = split(path)
        try:
            return f"{at(root, name)}{'' if member is None else '!' + member}"
        except StorageError:
            return path  # which fails where it is read, and says why

    return rows.with_columns(pl.col("path").map_elements(whole, pl.String))


def _of_classes(table: pl.DataFrame, classes: str, label_map: Sequence[str]) -> pl.DataFrame:
    if "label" not in table.columns:
        raise ManifestError(f"no column 'label' for --classes {classes}; leave it out")
    labels = choose.named(classes).labels
    mapping = parse_label_map(label_map, labels)
    known = {**labels.spellings, **mapping}
    spelled = table["label"].cast(pl.String).str.strip_chars().str.to_lowercase()
    # What is no class is dropped, which is what was asked for; the note says how many.
    others = {name: None for name in spelled.drop_nulls().unique() if name and name not in known}
    found, read = read_labels(table["label"], labels, {**mapping, **others})
    log.info("note: %s", read.note())
    kept = table.with_columns(found.alias("label"), table["label"].alias(GIVEN_LABEL))
    kept = kept.filter(pl.col("label").is_not_null())
    if kept.is_empty():
        raise ManifestError(f"no row has a label of --classes {classes}; map some with --label-map")
    return kept


def _counts(table: pl.DataFrame, column: str) -> list[tuple[str | None, int]]:
    if column not in table.columns:
        return []
    counts = table.group_by(pl.col(column).cast(pl.String)).len()
    return counts.sort("len", column, descending=[True, False], nulls_last=True).rows()
