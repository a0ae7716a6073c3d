"""The whole of a training: a manifest's rows and a base into a checkpoint that `score` takes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emobatch.errors import (
    CheckpointError,
    DeviceError,
    Interrupted,
    OutputError,
    TrainingError,
)
from emobatch.manifests.manifest import Manifest
from emobatch.models import checkpoints, hub, remote
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.names import AUTO, BASES
from emobatch.splits.roles import TRAIN, VAL
from emobatch.training.given import Rows
from emobatch.training.options import SPEECH, Options
from emobatch.training.progress import Progress, Silent, Stop, never
from emobatch.training.ranks import Ranks
from emobatch.training.record import history, record_of, run_of
from emobatch.training.rows import Chosen
from emobatch.training.work import Work

if TYPE_CHECKING:
    from emobatch.training.course import Course
    from emobatch.training.prepared import Prepared

log = logging.getLogger(__name__)
EXTRA = (
    "accelerate is not installed, which training needs; install it with "
    "`pip install 'emobatch[train]'`"
)


def train(
    rows: Rows,
    target: Path,
    options: Options,
    *,
    restart: bool = False,
    progress: Progress | None = None,
    stop: Stop = never,
) -> None:
    """Train a checkpoint, or go on with one.

    Args:
        rows: of a manifest.
        target: the checkpoint's folder.
        options: base, head, loss and so on.
        restart: throw away what an earlier run saved, or finished.
        progress: told how far it is.
        stop: names the signal that asks it to end; asked after each step.

    Raises:
        Interrupted: if it was asked to end; it is saved, and the same call goes on.
        EmobatchError: if it can't begin, or go on.
    """
    if find_spec("accelerate") is None:
        raise TrainingError(EXTRA)
    from emobatch.training.learner import quiet

    ranks = Ranks.of_environment()
    with ranks.one_voice(), quiet():
        Training(rows, target, options, restart, progress or Silent(), stop, ranks).run()


@dataclass(frozen=True)
class Training:
    """A training and what it is given, see :func:`train`."""

    rows: Rows
    target: Path
    options: Options
    restart: bool
    progress: Progress
    stop: Stop
    ranks: Ranks

    def run(self) -> None:
        """Do all of it."""
        if self.target.exists() and not self.target.is_dir():
            raise OutputError(f"{self.target}: is a file; -o names a folder")
        if self.target.name in ("", ".."):
            raise OutputError(f"-o {self.target}: name a folder of the checkpoint's own")
        read = self.rows.read()
        chosen = self.rows.choose(read, self.options)
        chosen.note()
        device = self._device()
        base = self._base()
        run = run_of(self.options, base, chosen, chosen.digest(), self.ranks.count)
        work = Work.beside(self.target)
        if work.is_whole(run, restart=self.restart):
            if self.ranks.is_first:
                work.settle()
            log.warning("note: %s is whole, nothing to do; --restart trains anew", self.target)
            return
        if self.ranks.is_first:
            work = work.take(run, restart=self.restart)
        try:
            self._train(work, chosen, read, base, run, device)
        finally:
            work.release(remove=True)

    def _device(self) -> str:
        from emobatch.models import devices

        name = self.options.device
        found = devices.first_there()
        if name == AUTO:
            return found
        if name not in ("cpu", found):
            raise DeviceError(f"device {name} is not available to PyTorch; use --device auto")
        return name

    def _base(self) -> Checkpoint:
        branch = BASES[self.options.branch]
        found = checkpoints.find(self.options.base, branch)
        if found is None and (self.options.offline or hub.is_offline()):
            raise CheckpointError(
                f"{self.options.base}: not on this machine; leave --offline out where the hub can "
                "be reached, or give --base a folder"
            )
        if found is None:
            wanted = remote.ask(self.options.base, branch)
            log.info("note: %s", remote.fetching([wanted]))
            found = wanted.fetch()
        return found

    def _train(
        self,
        work: Work,
        chosen: Chosen,
        read: Manifest,
        base: Checkpoint,
        run: dict[str, Any],
        device: str,
    ) -> None:
        from emobatch.training.losses.loss import LossOptions
        from emobatch.training.losses.registry import LOSSES
        from emobatch.training.trainer import EmotionTrainer, arguments

        options = self.options
        args = arguments(work.folder, options, self.ranks, device)
        prepared = self._prepared(work, chosen, read, base)
        course = self._course(work, prepared)
        counts = prepared.chosen.goal.counts(prepared.chosen.train)
        loss = LOSSES[options.chosen_loss].of(
            LossOptions([*counts.values()], options.class_weights, options.gamma)
        )
        last = self.ranks.share(work.last())
        try:
            if last is not None:
                course.resume(last)
                log.warning("note: going on from %s", last)
            if not course.is_over:
                trainer = EmotionTrainer(course, loss, args)
                trainer.train(resume_from_checkpoint=None if last is None else str(last))
        finally:
            course.examples.close()
        if course.stopped is not None:
            raise self._interrupted(
                course.stopped,
                f"{len(course.epochs)} of {options.epochs} epochs are done, and what came after "
                f"them is saved in {work.folder}",
            )
        self._finish(work, prepared, run, course)

    def _prepared(self, work: Work, chosen: Chosen, read: Manifest, base: Checkpoint) -> Prepared:
        import torch

        from emobatch.training import prepared
        from emobatch.training.cache import Cache

        torch.manual_seed(self.options.seed)
        if self.options.branch != SPEECH:
            return prepared.texts(chosen, base, self.options)
        cache = None if self.rows.cache is None else Cache(self.rows.cache)
        return prepared.sounds(
            chosen, read, base, self.options, cache, work, self.ranks, self._end_if_asked
        )

    def _course(self, work: Work, prepared: Prepared) -> Course:
        from emobatch.training.batches import Batches, Examples
        from emobatch.training.course import Course

        options, ranks, source = self.options, self.ranks, prepared.train
        lengths = source.cropped(options.crop)
        batches = Batches(lengths, options.batch * source.unit, options.seed, ranks.count)
        if not len(batches):
            raise TrainingError(f"fewer rows to train on than {ranks.count} processes; take fewer")
        return Course(
            learner=prepared.learner,
            examples=Examples(source, batches, options.crop, options.seed, ranks.number),
            wanted=prepared.chosen.targets(TRAIN),
            val=prepared.val,
            targets=prepared.chosen.targets(VAL),
            options=options,
            work=work,
            ranks=ranks,
            batches=len(batches),
            progress=self.progress,
            stop=self.stop,
        )

    def _finish(self, work: Work, prepared: Prepared, run: dict[str, Any], course: Course) -> None:
        best = course.best
        if best is None or not self.ranks.is_first:
            return
        record = record_of(run, prepared.chosen, course.epochs, best, prepared.failed)
        work.finish(best, record, history(course.epochs))
        by = self.options.chosen_best
        log.warning(
            "note: %s: epoch %d of %d is the best by %s on val, %.4g",
            *(self.target, best + 1, len(course.epochs), by, course.epochs[best][by]),
        )

    def _end_if_asked(self) -> None:
        if signal := self.stop():
            raise self._interrupted(signal, "nothing is trained yet")

    def _interrupted(self, signal: str, saved: str) -> Interrupted:
        how = " without --restart" if self.restart else ""
        return Interrupted(f"{signal}; {saved}: the same command{how} goes on from there")
