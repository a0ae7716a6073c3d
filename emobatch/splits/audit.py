"""Audit of a table for leakage: columns, transcripts and audio that train and test share."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from emobatch.errors import AudioError, TableError
from emobatch.manifests import archives, sources
from emobatch.manifests.archives import Part
from emobatch.splits import leakage, roles
from emobatch.splits.duplicates import digests, near_pairs, plain_text
from emobatch.splits.leakage import COLUMNS, FOLD, SCHEMA, SPLIT, Against, Leakage
from emobatch.splits.roles import FOLD_COLUMN, SPLIT_COLUMN, TEST
from emobatch.storage.address import is_known
from emobatch.tables import reading, stored, trained_rows
from emobatch.tables.fitted_rows import ID, InSample
from emobatch.tables.trained_rows import TrainedRows

log = logging.getLogger(__name__)

# What was said, the surest first.
TEXT_COLUMNS = ("reference", "transcript")
SAME_TEXT, NEAR_TEXT, SAME_AUDIO = "transcript", "near transcript", "audio"
# Names that no table has.
TEXT, AUDIO = "\0text", "\0audio"


def audit(
    source: str,
    *,
    form: str | None = None,
    split_column: str = SPLIT_COLUMN,
    fold_column: str | None = None,
    columns: Sequence[str] = (),
    against: Against = "train",
    audio: bool = False,
    root: Path | None = None,
    similarity: float = 0.9,
    min_words: int = 5,
) -> Leakage:
    """Look for what test shares with train, in each fold of a table.

    Args:
        source: the table or another manifest, ``-`` for CSV on standard input.
        form: what it is, None to go by what it looks like.
        split_column: column of train, val and test.
        fold_column: column that tells folds apart; by default ``fold`` where there is one.
        columns: whose values are looked at; by default those of ``COLUMNS`` that are there.
        against: the splits that test is held against.
        audio: compare the content of the files that ``path`` names.
        root: folder that paths are relative to; by default the table's own.
        similarity: the least that makes transcripts near duplicates, 0 to 1, see
            :func:`emobatch.splits.duplicates.near_pairs`.
        min_words: shorter transcripts don't count: everyone says yes.

    Returns:
        What is shared.

    Raises:
        EmobatchError: if the table can't be read or has nothing to compare.
    """
    with reading.explained(source):
        rows = sources.scan(source, form)
        roles.check(rows, split_column)
        names = rows.collect_schema().names()
        if fold_column is None and FOLD_COLUMN in names:
            fold_column = FOLD_COLUMN
        _check_columns(names, [*columns, *([fold_column] if fold_column else [])])
        frame = leakage.marked(rows, split_column, fold_column).collect()
        test_rows = _count_test_rows(frame, split_column, against)
        _note_trained(source, frame)
        kinds = {name: name for name in columns or COLUMNS if name in names}
        if any(name in names for name in TEXT_COLUMNS):
            frame, kinds[SAME_TEXT] = _with_text(frame, min_words), TEXT
        if audio:
            folder = root or sources.root(source, form)
            frame, kinds[SAME_AUDIO] = _with_audio(frame, folder), AUDIO
        if not kinds:
            looked_for = ", ".join((*COLUMNS, *TEXT_COLUMNS))
            raise TableError(f"none of the columns {looked_for} to compare; name one with --column")
        found = leakage.shared(frame.lazy(), kinds, against)
        if SAME_AUDIO in kinds:
            found = _with_files(found, frame, against)
        if SAME_TEXT in kinds:
            found = pl.concat([found, _near(frame, against, similarity)])
    return Leakage(_sorted(found, test_rows, kinds), test_rows, tuple(_with_near(kinds)), against)


def _note_trained(source: str, frame: pl.DataFrame) -> None:
    # Whatever the splits say: a model knows by itself what it was trained on.
    if ID not in frame.columns:
        return
    tests = frame.filter(pl.col(SPLIT) == TEST)
    said = trained_rows.of_stored(stored.metadata(source).get(trained_rows.TRAINED), source)
    known = TrainedRows({key: InSample(((rows, None),)) for key, rows in said.items()})
    for note in known.notes(tests):
        log.warning("note: rows that test: %s", note)


def _check_columns(names: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in names:
            raise TableError(f"no column {name!r}; the columns are {', '.join(names)}")


def _count_test_rows(frame: pl.DataFrame, column: str, against: Against) -> dict[str, int]:
    tests = frame.filter(pl.col(SPLIT) == TEST)[FOLD].value_counts().rows()
    for split, none in (
        (TEST, not tests),
        (against, frame.filter(leakage.of_train(against)).is_empty()),
    ):
        if none:
            raise TableError(f"no row of column {column!r} is {split}: nothing to compare")
    return dict(sorted(tests, key=lambda item: roles.natural(item[0])))


def _with_text(frame: pl.DataFrame, min_words: int) -> pl.DataFrame:
    text = pl.coalesce(plain_text(name) for name in TEXT_COLUMNS if name in frame.columns)
    long_enough = text.str.count_matches(" ", literal=True) + 1 >= min_words
    return frame.with_columns(pl.when(long_enough).then(text).alias(TEXT))


def _with_audio(frame: pl.DataFrame, root: Path) -> pl.DataFrame:
    _check_columns(frame.columns, ["path"])
    paths = frame["path"].cast(pl.String).drop_nulls().unique()
    elsewhere = sum(map(is_known, paths))
    if elsewhere and elsewhere == len(paths):
        raise TableError("--audio compares files on this machine, and its paths are addresses")
    files = _files(root, paths)
    found = digests(files.values())
    digest = {path: found[file] for path, file in files.items() if file in found}
    if not digest:
        raise TableError(f"none of its files is in {root}; say with --root where they are")
    missing = len(paths) - elsewhere - len(digest)
    if missing:
        log.warning("note: %d of %d audio files are not in %s", missing, len(paths), root)
    if elsewhere:
        log.warning("note: %d of %d audio files are addresses, left out", elsewhere, len(paths))
    content = pl.col("path").cast(pl.String)
    return frame.with_columns(
        content.replace_strict(digest, default=None, return_dtype=pl.String).alias(AUDIO)
    )


def _files(root: Path, paths: Iterable[str]) -> dict[str, Path | Part]:
    indices, found = archives.Archives(), dict[str, Path | Part]()
    for path in paths:
        name, member = archives.split(path)
        with suppress(AudioError, OSError, ValueError):  # missing, as any other
            if not is_known(path):
                file = root / name
                found[path] = file if member is None else indices.part(file, member)
    return found


def _with_files(found: pl.DataFrame, frame: pl.DataFrame, against: Against) -> pl.DataFrame:
    # A digest says little to people: name a file on either side.
    path = pl.col("path").cast(pl.String)
    files = frame.group_by(pl.col(FOLD).alias("fold"), pl.col(AUDIO).alias("value")).agg(
        path.filter(pl.col(SPLIT) == TEST).min().alias("file"),
        path.filter(leakage.of_train(against)).min().alias("other"),
    )
    is_audio = pl.col("kind") == SAME_AUDIO
    named = found.join(files, on=["fold", "value"], how="left").with_columns(
        pl.when(is_audio).then("file").otherwise("value").alias("value"),
        pl.when(is_audio).then("other").otherwise("like").alias("like"),
    )
    return named.select(*SCHEMA)


def _near(frame: pl.DataFrame, against: Against, similarity: float) -> pl.DataFrame:
    counts = leakage.counts(frame.lazy(), TEXT, against).collect()
    trained = counts.filter(pl.col("train_rows") > 0)
    tested = counts.filter((pl.col("test_rows") > 0) & (pl.col("train_rows") == 0))
    pairs = near_pairs(
        tested["value"].unique().sort().to_list(),
        trained["value"].unique().sort().to_list(),
        similarity,
    )
    return (
        pairs.join(tested.drop("train_rows"), on="value")
        .join(trained.drop("test_rows"), left_on=["fold", "like"], right_on=["fold", "value"])
        .sort("similarity", "like", descending=[True, False])
        .group_by("fold", "value")
        .agg(pl.col("like", "similarity", "test_rows").first(), pl.col("train_rows").sum())
        .select(pl.lit(NEAR_TEXT).alias(name) if name == "kind" else name for name in SCHEMA)
    )


def _with_near(kinds: Mapping[str, str]) -> list[str]:
    return [*kinds, *([NEAR_TEXT] if SAME_TEXT in kinds else [])]


def _sorted(
    found: pl.DataFrame, test_rows: Mapping[str, int], kinds: Mapping[str, str]
) -> pl.DataFrame:
    places = [
        pl.col(name).replace_strict(list(order), list(range(len(order))), return_dtype=pl.Int64)
        for name, order in (("fold", list(test_rows)), ("kind", _with_near(kinds)))
    ]
    return found.sort(*places, "value")
