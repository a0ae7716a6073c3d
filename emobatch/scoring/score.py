"""The main job: a manifest's clips through all scorers into a score table."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import Interrupted, ResumeError, TooManyErrors
from emobatch.manifests import manifest
from emobatch.manifests.shards import Shard
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring import gate as gates
from emobatch.scoring import languages
from emobatch.scoring.gate import Gate
from emobatch.scoring.made_with import made_with, models, refuse_other
from emobatch.scoring.parts import Parts
from emobatch.scoring.progress import Progress, Silent
from emobatch.scoring.runners.registry import DEFAULT, RUNNERS
from emobatch.scoring.runners.runner import Runner
from emobatch.scoring.work import Work
from emobatch.tables import content, reading, stored, writing
from emobatch.tables.content import CONTENT
from emobatch.tables.score_table import DECISION_COLUMNS

log = logging.getLogger(__name__)

# Columns that a run writes and a manifest may give all the same.
GIVEN = {"id", "duration", "transcript", "language"}


def score(
    source: str,
    target: Path | None,
    choice: Choice,
    *,
    root: Path | None = None,
    form: str | None = None,
    confine: bool = False,
    shard: Shard | None = None,
    gate: Gate | None = None,
    engine: str = DEFAULT,
    restart: bool = False,
    retry_errors: bool = False,
    max_error_rate: float = 1.0,
    progress: Progress | None = None,
) -> None:
    """Score every clip of a manifest.

    Args:
        source: the manifest, ``-`` for standard input.
        target: the score table; None streams CSV to standard output.
        choice: models and options.
        root: folder that the manifest's paths are relative to.
        form: what the manifest is, None to go by what it looks like.
        confine: let rows fail whose files are outside of that folder.
        shard: score only this part of the manifest.
        gate: transcribe only rows whose text could matter to it.
        engine: where chunks are scored, one of
            :data:`emobatch.scoring.runners.registry.RUNNERS`.
        restart: throw the work of an earlier run away, saved or whole.
        retry_errors: score rows again that failed in an earlier run.
        max_error_rate: share of rows, 0 to 1, that may fail.
        progress: told how far the run is.

    Raises:
        TooManyErrors: if more rows failed; the table is written all the same.
        EmobatchError: if the run can't begin, or its table not be written.
    """
    writing.check_target(target, sources=[source])
    runner = RUNNERS[engine]()
    rows = manifest.read(source, root, form=form, confine=confine)
    writing.check_columns(rows.rows.collect_schema(), target)
    notes: dict[str, Any] = {}
    if shard is not None:
        rows, notes["shard"] = shard.take(rows)
    plan = Plan.of(choice, choice.find_checkpoints())
    rows.refuse_columns({*plan.columns, *DECISION_COLUMNS} - GIVEN)
    if gate is not None:
        gates.check(gate, plan.task, models(plan), choice.sides_left_out)
    languages.note_before(choice, rows.rows)
    # torch, which takes seconds: after all that can fail fast.
    from emobatch.models import devices

    device = devices.choose(choice.device, choice.precision)
    progress = progress or Silent()
    job = Job(Work(rows, plan, device, gate, progress), runner, progress)
    if target is None:
        outcome = job.to_stream()
    else:
        run = {**made_with(plan, device, gate), "manifest": rows.digest(), **notes}
        outcome = job.to_table(target, run, restart=restart, retry_errors=retry_errors)
    languages.note_after(choice, outcome.languages)
    _report(outcome.errors, len(rows), max_error_rate)


def _report(errors: int, rows: int, max_error_rate: float) -> None:
    if errors:
        log.warning("note: %d of %d rows failed; column 'error' says why", errors, rows)
    if errors == rows or errors > max_error_rate * rows:
        raise TooManyErrors(
            f"{errors} of {rows} rows failed, more than --max-error-rate allows; mend their "
            "files and score again"
        )


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        errors: rows that failed.
        languages: transcripts that were cleaned, by language.
    """

    errors: int = 0
    languages: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pl.LazyFrame) -> None:
        """Count more rows.

        Args:
            rows: of the score table.
        """
        self.errors += rows.select((pl.col("status") == "error").sum()).collect().item()
        if "language" in rows.collect_schema():  # tables of before have none
            self.languages += languages.cleaned(rows)


@dataclass(frozen=True)
class Job:
    """Rows to be scored, and where that happens.

    Attributes:
        work: scores a chunk of them.
        runner: has that done.
        progress: told how far it is.
    """

    work: Work
    runner: Runner
    progress: Progress

    def to_stream(self) -> Outcome:
        """Write the table to standard output, each chunk as soon as it is there.

        Returns:
            What came of its rows.
        """
        outcome = Outcome()

        def frames() -> Iterator[pl.DataFrame]:
            for chunk in self.runner.run(self.work, self.work.firsts):
                outcome.add(chunk.frame.lazy())
                yield chunk.frame

        self.progress.start(len(self.work.rows))
        header = self.work.rows.frame(0, 0).drop(*self.work.plan.columns, strict=False)
        writing.write_csv_stream(frames(), {**header.schema, **self.work.plan.schema})
        return outcome

    def to_table(
        self, target: Path, run: Mapping[str, Any], *, restart: bool, retry_errors: bool
    ) -> Outcome:
        """Write the table to a file, or go on with one.

        Args:
            target: the score table.
            run: what it is made with.
            restart: throw the work of an earlier run away.
            retry_errors: score rows again that failed in an earlier run.

        Returns:
            What came of the table's rows.

        Raises:
            ResumeError: if what is there is not of this run.
        """
        ids = content.describe(self.work.rows.rows, [], ["id"])
        with Parts.open(target, run, restart=restart) as saved:
            if not restart and _is_whole(target, run, ids, saved):
                self._retry(saved, ids, enabled=retry_errors)
            else:
                if retry_errors:
                    saved.forget_errors()
                self._save_chunks(saved, "" if not restart else " without --restart")
                saved.finish(saved.run, self.work.plan.schema, ids)
        outcome = Outcome()
        outcome.add(reading.scan(str(target)))
        return outcome

    def _save_chunks(self, saved: Parts, how: str = "") -> None:
        rows = len(self.work.rows)
        self.progress.start(rows, saved.rows_done())
        todo = [first for first in self.work.firsts if not saved.has(first)]
        try:
            for chunk in self.runner.run(self.work, todo) if todo else ():
                saved.add(chunk.first, chunk.frame)
        except KeyboardInterrupt as signal:
            # While Polars is at work it takes SIGINT for itself, and raises one without a message.
            raise Interrupted(
                f"{str(signal) or 'interrupted by SIGINT'}; {saved.rows_done()} of {rows} rows are "
                f"saved in {saved.folder}, the same command{how} goes on from there"
            ) from signal

    def _retry(self, saved: Parts, ids: Mapping[str, Any], *, enabled: bool) -> None:
        # Of a table that is whole, only the failed rows: its other rows stay as they are.
        before = reading.scan(str(saved.target), self.work.plan.numbers)
        failed = before.filter(pl.col("status") == "error").select("id").collect().to_series()
        if not enabled or failed.is_empty():
            hint = "; --retry-errors scores the failed rows again" if len(failed) else ""
            log.warning("note: %s is whole, nothing to do%s", saved.target, hint)
            saved.clear()
            return
        again = self.work.of(self.work.rows.pick(failed))
        chunks = saved.for_retry(again.rows.digest())
        Job(again, self.runner, self.progress)._save_chunks(chunks)
        chunks.finish(saved.run, self.work.plan.schema, ids, before)


def _is_whole(target: Path, run: Mapping[str, Any], ids: Mapping[str, Any], saved: Parts) -> bool:
    # A run that was killed as it ended, or began with --restart, left its chunks: they go first.
    if not target.exists() or (saved.rows_done() and not saved.is_retry):
        return False
    remedy = "name another -o, or replace it with --restart"
    if stored.was_replaced(target):
        raise ResumeError(f"{target}: was changed since it was scored; {remedy}")
    known = stored.metadata(target)
    if "manifest" not in known:
        raise ResumeError(f"{target}: is there, and doesn't say what it was made with; {remedy}")
    refuse_other(target, known, run)
    if difference := _difference(target, known, ids):
        raise ResumeError(f"{target}: was changed since it was scored: {difference}; {remedy}")
    return True


def _difference(target: Path, known: Mapping[str, Any], ids: Mapping[str, Any]) -> str | None:
    if "thresholds" in known:
        return "it is a final table"
    rows = reading.scan(str(target))
    with reading.explained(str(target)):
        if "id" not in rows.collect_schema():
            return "without id"
        if not content.same_ids(content.describe(rows, [], ["id"]), ids):
            return "its rows aren't the manifest's, in order"
    # Tables of before say no more of what they hold.
    return content.changed(str(target), known[CONTENT]) if CONTENT in known else None
