"""The whole of a training: a manifest's rows and a base into a checkpoint that `score` takes."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from emobatch.errors import (
    AudioError,
    CheckpointError,
    DeviceError,
    Interrupted,
    OutputError,
    TrainingError,
)
from emobatch.manifests import manifest
from emobatch.manifests.clips import clips
from emobatch.manifests.columns import ManifestColumns
from emobatch.manifests.manifest import Manifest
from emobatch.models import checkpoints, hub, remote
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.names import AUTO, BASES
from emobatch.splits.roles import FOLD_COLUMN, TRAIN, VAL
from emobatch.tasks import choose as tasks
from emobatch.training import rows as rows_of
from emobatch.training.cache import Cache
from emobatch.training.course import Course, Progress, Silent, Stop
from emobatch.training.goal import Attributes, Categories, Goal
from emobatch.training.options import SPEECH, Options
from emobatch.training.ranks import Ranks
from emobatch.training.record import history, record_of, run_of
from emobatch.training.rows import Chosen
from emobatch.training.source import Source
from emobatch.training.work import SURVEY, Work

log = logging.getLogger(__name__)
EXTRA = (
    "accelerate is not installed, which training needs; install it with "
    "`pip install 'emobatch[train]'`"
)


def never() -> str | None:
    """Say that nothing asks a training to end."""
    return None


@dataclass(frozen=True)
class Rows:
    """Which rows of which manifest.

    Attributes:
        source: the manifest.
        root: folder that its paths are relative to; None for its own.
        form: what it is, None to go by what it looks like.
        columns: which have which meaning.
        fold: of a manifest of several folds, the one that is trained; None where there is one.
        train_where: SQL expression of rows that are trained on; None for the split ``train``.
        val_where: the same of rows that validate.
        classes: as for :func:`emobatch.tasks.choose.named`.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        scores: a score table whose transcripts are taken, None for the manifest's.
        cache: folder of decoded audio, None for none.
    """

    source: str
    root: Path | None = None
    form: str | None = None
    columns: ManifestColumns | None = None
    fold: str | None = None
    train_where: str | None = None
    val_where: str | None = None
    classes: str = tasks.DEFAULT
    label_map: Sequence[str] = ()
    scores: str | None = None
    cache: Path | None = None


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
        read = self._read()
        chosen = self._choose(read)
        chosen.note()
        device = self._device()
        base = self._base()
        run = run_of(self.options, base, chosen, digest(chosen), self.ranks.count)
        work = Work.beside(self.target)
        if work.is_whole(run, restart=self.restart):
            log.warning("note: %s is whole, nothing to do; --restart trains anew", self.target)
            return
        if self.ranks.is_first:
            work = work.take(run, restart=self.restart)
        try:
            self._train(work, chosen, read, base, run, device)
        finally:
            work.release(remove=True)

    def _read(self) -> Manifest:
        given = self.rows
        where = None
        if given.fold is not None:
            value = given.fold if given.fold.isdigit() else f"'{given.fold}'"
            where = f"{FOLD_COLUMN} = {value}"
        return manifest.read(
            given.source, given.root, form=given.form, columns=given.columns, where=where
        )

    def _choose(self, read: Manifest) -> Chosen:
        given = self.rows
        goal: Goal
        if self.options.attributes:
            goal = Attributes(self.options.attributes)
        else:
            goal = Categories(tasks.named(given.classes))
        chosen = rows_of.choose(
            read.rows.collect(),
            goal,
            train_where=given.train_where,
            val_where=given.val_where,
            label_column=given.columns.label if given.columns else None,
            label_map=given.label_map,
        )
        if self.options.branch == SPEECH:
            return chosen
        from emobatch.training.texts import with_texts

        (of_train, silent), (of_val, others) = (
            with_texts(chosen.of(split), given.scores, self.options.clean, self.options.language)
            for split in (TRAIN, VAL)
        )
        chosen = Chosen(of_train, of_val, goal).without([*silent, *others])
        chosen.check()
        return chosen

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
        import torch

        from emobatch.training.batches import Batches, Examples
        from emobatch.training.losses.loss import LossOptions
        from emobatch.training.losses.registry import LOSSES
        from emobatch.training.trainer import EmotionTrainer, arguments

        options, ranks = self.options, self.ranks
        args = arguments(work.folder, options, ranks, device)
        torch.manual_seed(options.seed)
        if options.branch == SPEECH:
            chosen, sources, learner, failed = self._sounds(work, chosen, read, base)
        else:
            sources, learner = self._texts(chosen, base)
            failed = {}
        train_source, val_source = sources
        most = options.batch * train_source.unit
        lengths = train_source.cropped(options.crop)
        batches = Batches(lengths, most, options.seed, ranks.count)
        if not len(batches):
            raise TrainingError(f"fewer rows to train on than {ranks.count} processes; take fewer")
        examples = Examples(train_source, batches, options.crop, options.seed, ranks.number)
        course = Course(
            learner=learner,
            examples=examples,
            wanted=chosen.targets(TRAIN),
            val=val_source,
            targets=chosen.targets(VAL),
            options=options,
            work=work,
            ranks=ranks,
            batches=len(batches),
            progress=self.progress,
            stop=self.stop,
        )
        loss = LOSSES[options.chosen_loss].of(
            LossOptions(chosen.counts(), options.class_weights, options.gamma)
        )
        last = ranks.share(work.last())
        try:
            if last is not None:
                course.resume(last)
                log.warning("note: going on from %s", last)
            if not course.is_over:
                trainer = EmotionTrainer(course, loss, args)
                trainer.train(resume_from_checkpoint=None if last is None else str(last))
        finally:
            examples.close()
        if course.stopped is not None:
            raise Interrupted(
                f"{course.stopped}; {len(course.epochs)} of {options.epochs} epochs are done, and "
                f"what came after them is saved in {work.folder}: the same command"
                f"{' without --restart' if self.restart else ''} goes on from there"
            )
        self._finish(work, chosen, run, course, failed)

    def _sounds(
        self, work: Work, chosen: Chosen, read: Manifest, base: Checkpoint
    ) -> tuple[Chosen, tuple[Source, Source], Any, dict[str, str]]:
        from emobatch.training.sounds import Sounds, Survey, survey
        from emobatch.training.speech import SpeechLearner

        cache = None if self.rows.cache is None else Cache(self.rows.cache)
        both = pl.concat([chosen.train, chosen.val])
        heard = list(zip(both["id"], clips(both, read.root, confine=read.confine), strict=True))
        known = work.read(SURVEY) if self.ranks.is_first else None
        if self.ranks.is_first and known is None:
            known = survey(heard, len(chosen.train), cache).as_dict()
            work.write(SURVEY, known)
        found = Survey.of(self.ranks.share(known or {}))
        if len(found.errors) == len(heard):
            raise AudioError(
                f"none of {len(heard)} files can be read, the first: "
                f"{next(iter(found.errors.values()))}; look at --root and at the column path"
            )
        chosen = chosen.without(list(found.errors))
        chosen.check()
        lengths = np.array(found.lengths, np.int64)
        readable = lengths > 0
        kept = [clip for (_, clip), there in zip(heard, readable, strict=True) if there]
        lengths, first = lengths[readable], len(chosen.train)
        sources = (
            Sounds(kept[:first], lengths[:first], cache),
            Sounds(kept[first:], lengths[first:], cache),
        )
        return (
            chosen,
            sources,
            SpeechLearner(base, chosen.goal, self.options, found.scale),
            (found.errors),
        )

    def _texts(self, chosen: Chosen, base: Checkpoint) -> tuple[tuple[Source, Source], Any]:
        from emobatch.training.text import TextLearner
        from emobatch.training.texts import Texts

        learner = TextLearner(base, chosen.goal, self.options)
        train, val = (
            Texts(learner.tokens(chosen.of(split)["text"].to_list())) for split in (TRAIN, VAL)
        )
        return (train, val), learner

    def _finish(
        self,
        work: Work,
        chosen: Chosen,
        run: dict[str, Any],
        course: Course,
        failed: dict[str, str],
    ) -> None:
        best = course.best
        if best is None or not self.ranks.is_first:
            return
        record = record_of(run, chosen, course.epochs, best, failed)
        work.finish(record, history(course.epochs))
        by = self.options.chosen_best
        log.warning(
            "note: %s: epoch %d of %d is the best by %s on val, %.4g",
            *(self.target, best + 1, len(course.epochs), by, course.epochs[best][by]),
        )


def digest(chosen: Chosen) -> str:
    """SHA-256 of the rows that take part.

    Args:
        chosen: the rows.

    Returns:
        The digest of what is read of them: files, segments, labels, texts.
    """
    known = ("id", "path", "start", "end", "text", *chosen.goal.columns)
    whole = hashlib.sha256()
    for split in (TRAIN, VAL):
        part = chosen.of(split)
        content = io.BytesIO()
        part.select(name for name in known if name in part.columns).write_ipc(content)
        whole.update(content.getvalue())
    return f"sha256:{whole.hexdigest()}"
