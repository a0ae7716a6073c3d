"""The main job: a manifest's clips through both branches into a score table."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from emobatch.cli.progress import Progress
from emobatch.errors import Interrupted, ResumeError, TooManyErrors
from emobatch.fusion.selection import thresholds
from emobatch.fusion.selection.algorithm import DECISION_COLUMNS
from emobatch.manifests import manifest
from emobatch.manifests.clips import clips
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.shards import Shard
from emobatch.models.choice import Choice
from emobatch.scoring.cascade import score_utterances
from emobatch.scoring.parts import Parts, refuse_other
from emobatch.scoring.runners.threads import in_order
from emobatch.scoring.utterances import Utterance, to_frame
from emobatch.tables import reading, writing
from emobatch.tables.provenance import check_models
from emobatch.tables.score_table import COLUMNS, NUMERIC

if TYPE_CHECKING:
    from emobatch.scorers.branches import Branches

log = logging.getLogger(__name__)

# A manifest may give an id, a duration and a transcript; the other columns are emobatch's own.
RESERVED = {*COLUMNS, *DECISION_COLUMNS} - {"id", "duration", "transcript"}


def score(
    source: str,
    target: Path | None,
    choice: Choice,
    *,
    root: Path | None = None,
    confine: bool = False,
    shard: Shard | None = None,
    restart: bool = False,
    retry_errors: bool = False,
    max_error_rate: float = 1.0,
) -> None:
    """Score every clip of a manifest.

    Args:
        source: the manifest, ``-`` for standard input.
        target: the score table; None streams CSV to standard output.
        choice: models and options.
        root: folder that the manifest's paths are relative to.
        confine: let rows fail whose files are outside of that folder.
        shard: score only this part of the manifest.
        restart: throw the work of an earlier run away, saved or whole.
        retry_errors: score rows again that failed in an earlier run.
        max_error_rate: share of rows, 0 to 1, that may fail.

    Raises:
        TooManyErrors: if more rows failed; the table is written all the same.
        EmobatchError: if the run can't begin, or its table not be written.
    """
    writing.check_target(target, sources=[source])
    rows = manifest.read(source, root, choice.label_map, RESERVED, confine=confine)
    writing.check_columns(rows.rows.collect_schema(), target)
    notes: dict[str, Any] = {}
    if shard is not None:
        rows, notes["shard"] = shard.take(rows)
    gate = None if choice.gate is None else thresholds.read(choice.gate)
    found = choice.find_checkpoints()
    with Progress(len(rows)) as progress:
        from emobatch.scorers import (
            branches,  # torch, which takes seconds: after all that can fail fast
        )

        models = branches.load(choice, found, gate)
        if gate is not None and choice.gate is not None:
            remedy = "give the models they were fitted on, or thresholds fitted on these"
            check_models(models.provenance["models"], gate.fitted, choice.gate, remedy)
        if target is None:
            errors = _score_to_stream(rows, models, progress)
        else:
            run = {**models.provenance, "manifest": rows.digest(), **notes}
            with Parts.open(target, run, restart=restart) as saved:
                if not restart and _is_whole(target, run, len(rows), saved):
                    _retry(rows, models, progress, saved, enabled=retry_errors)
                else:
                    _score_to_table(rows, models, progress, saved, retry_errors=retry_errors)
            errors = _count(target, (pl.col("status") == "error").sum())
    if errors:
        log.warning("note: %d of %d rows failed; column 'error' says why", errors, len(rows))
    if errors == len(rows) or errors > max_error_rate * len(rows):
        raise TooManyErrors(
            f"{errors} of {len(rows)} rows failed, more than --max-error-rate allows; mend their "
            "files and score again"
        )


def _score_to_stream(rows: Manifest, models: Branches, progress: Progress) -> int:
    progress.begin()
    frames = (frame for _, frame in score_chunks(rows, models, progress, _chunks(rows, models)))
    writing.write_csv_stream(frames, _join(rows.frame(0, 0), []).schema)
    return progress.errors


def _score_to_table(
    rows: Manifest, models: Branches, progress: Progress, saved: Parts, *, retry_errors: bool
) -> None:
    if retry_errors:
        saved.forget_errors()
    _score_to_file(rows, models, progress, saved)
    saved.finish(saved.run)


def _score_to_file(rows: Manifest, models: Branches, progress: Progress, saved: Parts) -> None:
    progress.begin(saved.rows_done())
    todo = [first for first in _chunks(rows, models) if not saved.has(first)]
    try:
        for first, frame in score_chunks(rows, models, progress, todo):
            saved.add(first, frame)
    except Interrupted as signal:
        raise Interrupted(
            f"{signal}; {saved.rows_done()} of {len(rows)} rows are saved in {saved.folder}, "
            "the same command goes on from there"
        ) from signal


def _is_whole(target: Path, run: Mapping[str, Any], rows: int, saved: Parts) -> bool:
    if not target.exists():
        return False
    known = reading.metadata(target)
    if "manifest" not in known:
        # A run that was killed here left its chunks; else the table may be anybody's.
        if saved.rows_done():
            return False
        raise ResumeError(
            f"{target}: is there, and doesn't say what it was made with; name another -o, or "
            "replace it with --restart"
        )
    refuse_other(target, known, run)
    if "thresholds" in known or _count(target, pl.len()) != rows:
        raise ResumeError(
            f"{target}: was changed since it was scored; name another -o, or begin anew with "
            "--restart"
        )
    return True


def _retry(
    rows: Manifest, models: Branches, progress: Progress, saved: Parts, *, enabled: bool
) -> None:
    # Of a table that is whole, only the failed rows: its other rows stay as they are.
    before = reading.scan(str(saved.target), NUMERIC)
    failed = before.select((pl.col("status") == "error").arg_true()).collect().to_series()
    if not enabled or failed.is_empty():
        hint = "; --retry-errors scores the failed rows again" if len(failed) else ""
        log.warning("note: %s is whole, nothing to do%s", saved.target, hint)
        saved.clear()
        return
    again = rows.pick(failed)
    chunks = saved.for_retry(again.digest())
    _score_to_file(again, models, progress, chunks)
    chunks.finish(saved.run, before)


def _count(target: Path, what: pl.Expr) -> int:
    return int(reading.scan(str(target), NUMERIC).select(what).collect().item())


def _chunks(rows: Manifest, models: Branches) -> range:
    return range(0, len(rows), models.chunk_rows)


def score_chunks(
    rows: Manifest, models: Branches, progress: Progress, firsts: Iterable[int]
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Score chunks of a manifest: while one is with the models, the next are decoded and heard.

    Batches never reach across a chunk's end, so that a run that was interrupted forms the same
    batches as one that was not.

    Args:
        rows: the manifest.
        models: both branches.
        progress: told what is done.
        firsts: number of each chunk's first row.

    Yields:
        That number, and the chunk's rows of the score table, in order.
    """
    pool = ThreadPoolExecutor(models.workers)

    def score_chunk(first: int) -> tuple[int, list[Utterance], pl.DataFrame]:
        chunk = rows.frame(first, models.chunk_rows)
        walked = clips(chunk, rows.root, confine=rows.confine)
        utterances = [Utterance(clip, name) for clip, name in zip(walked, chunk["id"], strict=True)]
        score_utterances(utterances, models, pool, progress)
        return first, utterances, _join(chunk, utterances)

    in_flight = 2 + models.workers // 4
    try:
        for first, utterances, frame in in_order(score_chunk, firsts, in_flight, in_flight - 1):
            progress.finished(utterances)
            yield first, frame
    finally:
        # After an error or a signal nobody wants what is still running.
        pool.shutdown(wait=False, cancel_futures=True)


def _join(rows: pl.DataFrame, utterances: list[Utterance]) -> pl.DataFrame:
    carried = rows.drop(*COLUMNS, strict=False)
    return pl.concat([carried, to_frame(utterances)], how="horizontal")
