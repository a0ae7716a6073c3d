"""Rows to be scored, and where: into a table that is saved as it goes, or as a stream."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.manifests.amount import amount
from emobatch.scoring import whole
from emobatch.scoring.outcome import Outcome
from emobatch.scoring.parts import Parts
from emobatch.scoring.runners.runner import Runner
from emobatch.scoring.saving import save_chunks
from emobatch.scoring.work import Chunk, Work
from emobatch.tables import content, reading, writing

log = logging.getLogger(__name__)


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
        if not len(self.work.rows):  # a shard that no chunk is left for
            saved.add(0, pl.DataFrame(schema=self._schema()))
        save_chunks(saved, self.work.firsts, self._scored, self.work.progress, once=once)

    def _scored(self, firsts: Sequence[int]) -> Iterator[Chunk]:
        self._announce(firsts)
        for chunk in self.runner.as_done(self.work, firsts):
            yield chunk
            _tell_of_chunk(chunk)

    def _schema(self) -> dict[str, Any]:
        carried = self.work.rows.frame(0, 0).drop(*self.work.recipe.plan.columns, strict=False)
        return {**carried.schema, **self.work.recipe.plan.schema}

    def _announce(self, firsts: Sequence[int]) -> None:
        # How much there is to do, of the chunks that begin with these rows.
        if firsts and not self.is_announced:
            left = self.work.rows.cut(firsts, self.work.chunk_rows)
            what = "" if len(left) == len(self.work.rows) else "left to score: "
            log.info("note: %s%s", what, amount(left, self.work.decoders))

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


def _tell_of_chunk(chunk: Chunk) -> None:
    failed = chunk.frame.filter(pl.col("status") == "error")
    for name, error in failed.select("id", "error").iter_rows():
        log.debug("row %r: %s", name, error)
    last = chunk.first + len(chunk.frame)
    log.debug("rows %d to %d are scored, %d failed", chunk.first + 1, last, len(failed))
