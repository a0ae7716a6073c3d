"""The main job: a manifest's clips through all scorers into a score table."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from emobatch.errors import Interrupted
from emobatch.manifests import manifest
from emobatch.manifests.amount import amount
from emobatch.manifests.columns import ManifestColumns
from emobatch.manifests.segments.cutting import Cutting
from emobatch.manifests.shards import Shard
from emobatch.models import remote
from emobatch.models.choice import Choice
from emobatch.models.names import MOST_ERRORS
from emobatch.scorers.plan import Plan
from emobatch.scoring import gate as gates
from emobatch.scoring import languages, sharing, whole
from emobatch.scoring.gate import Gate
from emobatch.scoring.made_with import chosen, made_with, models, planned, trained
from emobatch.scoring.outcome import End, Outcome
from emobatch.scoring.pace import Pace
from emobatch.scoring.parts import Parts
from emobatch.scoring.progress import Progress, Silent
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.rows import OF_APPLY, written
from emobatch.scoring.runners.registry import DEFAULT, RUNNERS
from emobatch.scoring.runners.runner import AS_IT_LIKES, Runner, Workers
from emobatch.scoring.work import Chunk, Work
from emobatch.storage.access import NO_ACCESS, Access
from emobatch.storage.address import Place
from emobatch.tables import content, reading, writing
from emobatch.tables.label_column import OPTION as LABEL_COLUMN

if TYPE_CHECKING:
    from emobatch.models.devices import Device

log = logging.getLogger(__name__)


def score(
    source: str,
    target: Path | None,
    choice: Choice,
    *,
    root: Place | None = None,
    form: str | None = None,
    pattern: str | None = None,
    columns: ManifestColumns | None = None,
    cutting: Cutting | None = None,
    confine: bool = False,
    access: Access = NO_ACCESS,
    shard: Shard | None = None,
    gate: Gate | None = None,
    engine: str = DEFAULT,
    workers: Workers = AS_IT_LIKES,
    restart: bool = False,
    retry_errors: bool = False,
    max_error_rate: float = MOST_ERRORS,
    progress: Progress | None = None,
) -> None:
    """Score every clip of a manifest.

    Args:
        source: the manifest, ``-`` for standard input.
        target: the score table; None streams CSV to standard output.
        choice: models and options.
        root: folder that the manifest's paths are relative to.
        form: what the manifest is, None to go by what it looks like.
        pattern: which files of a folder, for a row of each.
        columns: which of the manifest's have which meaning, None for those of known names.
        cutting: how its recordings are cut into segments, None to leave them whole.
        confine: let rows fail whose files are outside of that folder.
        access: what of the files that rows name may be fetched, and where it is kept.
        shard: score only this part of the manifest.
        gate: transcribe only rows whose text could matter to it.
        engine: where chunks are scored, one of
            :data:`emobatch.scoring.runners.registry.RUNNERS`.
        workers: what it scores with.
        restart: throw the work of an earlier run away, saved or whole.
        retry_errors: score rows again that failed in an earlier run.
        max_error_rate: share of rows, 0 to 1, that may fail.
        progress: told how far the run is.

    Raises:
        TooManyErrors: if more rows failed; the table is written all the same.
        EmobatchError: if the run can't begin, or its table not be written.
    """
    writing.check_target(target, sources=[source])
    if choice.embeddings:
        writing.check_arrays(target, "--embeddings")
    if target is not None:
        whole.refuse_held(target)
    runner = RUNNERS[engine].of(workers, engine)
    columns = columns or ManifestColumns()
    rows = manifest.read(
        source,
        root,
        form=form,
        pattern=pattern,
        confine=confine,
        columns=columns,
        cutting=cutting,
        access=access,
    )
    writing.check_columns(rows.rows.collect_schema(), target)
    notes: dict[str, Any] = {}
    if shard is not None:
        rows, notes["shard"] = sharing.take(shard, rows, choice, target)
    rows.refuse_columns(OF_APPLY)
    end = End(rows, target, gate, max_error_rate, is_shard=shard is not None)
    here = choice.look_up()
    if target is not None:
        notes["manifest"] = rows.digest()

    def is_done(made: dict[str, Any]) -> bool:
        # Said without the models: what has nothing to do fetches none, and loads none.
        if target is None or restart or retry_errors:
            return False
        done = whole.is_surely_whole(target, {**_told(made, columns), **notes}, rows)
        if done:
            outcome = Outcome.of_table(target)
            languages.note_after(choice, outcome.languages)
            end.of(outcome)
        return done

    if None in here.values() and is_done(chosen(choice, gate)):
        return
    missing = choice.ask_hub(here)
    if missing:
        runner.device(choice)  # before gigabytes are fetched for one that isn't there
        log.info("note: %s", amount(rows))
    plan = Plan.of(choice, remote.fetch(here, missing))
    rows.refuse_columns(written(plan))
    if made := trained(plan):
        notes["trained"] = made
    # Read once: gigabytes may have to be.
    found = models(plan) if gate is not None or target is not None else {}
    if gate is not None:
        gates.check(gate, plan.task, found, choice.sides_left_out)
    languages.note_before(choice, rows.rows)
    if is_done(planned(plan, gate, found)):
        return
    device = runner.device(choice)
    _tell_what_is_used(plan, device)
    pace = Pace(progress or Silent())
    recipe = Recipe(plan, device, gate, rows.root, rows.confine, rows.access)
    job = Job(Work(rows, recipe, pace), runner, is_announced=bool(missing))
    if target is None:
        outcome = job.to_stream()
    else:
        run = {**_told(made_with(plan, device, gate, found), columns), **notes}
        outcome = job.to_table(target, run, restart=restart, retry_errors=retry_errors)
    languages.note_after(choice, outcome.languages)
    end.of(outcome, pace.speed())


def _told(made: dict[str, Any], columns: ManifestColumns) -> dict[str, Any]:
    # Later commands read labels from the column that this one was told of.
    if columns.label is None:
        return made
    return {**made, "options": {**made["options"], LABEL_COLUMN: columns.label}}


def _tell_what_is_used(plan: Plan, device: Device) -> None:
    for branch, found in plan.setup.found.items():
        where = f"revision {found.revision}" if found.revision else "a folder"
        log.debug("%s model: %s, %s, in %s", branch, found.name, where, found.folder)
    kind = str(device.dtype).removeprefix("torch.")
    log.debug("on %s in %s; Whisper on %s", device.name, kind, device.ctranslate2)


def _tell_of_chunk(chunk: Chunk) -> None:
    failed = chunk.frame.filter(pl.col("status") == "error")
    for name, error in failed.select("id", "error").iter_rows():
        log.debug("row %r: %s", name, error)
    last = chunk.first + len(chunk.frame)
    log.debug("rows %d to %d are scored, %d failed", chunk.first + 1, last, len(failed))


@dataclass(frozen=True)
class Job:
    """Rows to be scored, and where that happens.

    Attributes:
        work: what is to be scored, and how.
        runner: has that done.
        is_announced: whether it has been said how much there is to do.
    """

    work: Work
    runner: Runner
    is_announced: bool = False

    def to_stream(self) -> Outcome:
        """Write the table to standard output, each chunk as soon as it is there.

        Returns:
            What came of its rows.
        """
        outcome = Outcome()

        def frames() -> Iterator[pl.DataFrame]:
            for chunk in self.runner.run(self.work, self.work.firsts):
                outcome.add(chunk.frame.lazy())
                _tell_of_chunk(chunk)
                yield chunk.frame

        self._announce(self.work.firsts)
        self.work.progress.start(len(self.work.rows))
        writing.write_csv_stream(frames(), self._schema())
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
            if not restart and whole.is_whole(target, run, ids, saved):
                self._retry(saved, ids, enabled=retry_errors)
            else:
                if retry_errors:
                    saved.forget_errors(self.work.chunk_rows)
                # What would throw away, or score anew, what this run has saved.
                once = {"--restart": restart, "--retry-errors": retry_errors}
                self._save_chunks(saved, [option for option, given in once.items() if given])
                saved.finish(saved.run, self.work.recipe.plan.schema, ids)
        return Outcome.of_table(target)

    def _save_chunks(self, saved: Parts, once: Sequence[str] = ()) -> None:
        rows, done = len(self.work.rows), saved.rows_done()
        todo = [first for first in self.work.firsts if not saved.has(first)]
        if done:
            log.info("note: %d of %d rows are saved in %s", done, rows, saved.folder)
        self._announce(todo)
        self.work.progress.start(rows, done)
        if not rows:  # a shard that no chunk is left for
            saved.add(0, pl.DataFrame(schema=self._schema()))
        try:
            for chunk in self.runner.as_done(self.work, todo) if todo else ():
                saved.add(chunk.first, chunk.frame)
                _tell_of_chunk(chunk)
        except KeyboardInterrupt as signal:
            # While Polars is at work it takes SIGINT for itself, and raises one without a message.
            how = f" without {' and '.join(once)}" if once else ""
            raise Interrupted(
                f"{str(signal) or 'interrupted by SIGINT'}; {saved.rows_done()} of {rows} rows are "
                f"saved in {saved.folder}, the same command{how} goes on from there"
            ) from signal

    def _schema(self) -> dict[str, Any]:
        carried = self.work.rows.frame(0, 0).drop(*self.work.recipe.plan.columns, strict=False)
        return {**carried.schema, **self.work.recipe.plan.schema}

    def _announce(self, firsts: Sequence[int]) -> None:
        # How much there is to do, of the chunks that begin with these rows.
        if firsts and not self.is_announced:
            left = self.work.rows.cut(firsts, self.work.chunk_rows)
            what = "" if len(left) == len(self.work.rows) else "left to score: "
            log.info("note: %s%s", what, amount(left))

    def _retry(self, saved: Parts, ids: Mapping[str, Any], *, enabled: bool) -> None:
        # Of a table that is whole, only the failed rows: its other rows stay as they are.
        before = reading.scan(str(saved.target), self.work.recipe.plan.numbers)
        failed = before.filter(pl.col("status") == "error").select("id").collect().to_series()
        if not enabled or failed.is_empty():
            hint = "; --retry-errors scores the failed rows again" if len(failed) else ""
            log.warning("note: %s is whole, nothing to do%s", saved.target, hint)
            saved.clear()
            return
        again = self.work.of(self.work.rows.pick(failed))
        chunks = saved.for_retry(again.rows.digest())
        Job(again, self.runner)._save_chunks(chunks)
        chunks.finish(saved.run, self.work.recipe.plan.schema, ids, before)
