"""A training's folder of saved work, and the checkpoint that becomes of it.

A run may be killed between any two steps of what is done here, and the next one finds its way:

- What is in the folder counts only while ``run.json`` says of which run it is, which goes first
  where the rest is removed. But ``done`` counts always: a checkpoint that has only to be moved.
- ``checkpoint-STEP`` counts once it has its ``progress.json``, which is written last.
- ``best-EPOCH`` of the best epoch so far stays until a checkpoint is saved that knows a better.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emobatch.errors import OutputError, ResumeError, first_line
from emobatch.models.files import RECORD
from emobatch.scoring.folder import LOCK_FILE, HeldFolder
from emobatch.scoring.other_run import is_same, refuse_other
from emobatch.training import storing

if TYPE_CHECKING:
    from emobatch.training.learner import Learner

log = logging.getLogger(__name__)
RUN, SURVEY, PROGRESS, HISTORY = "run.json", "audio.json", "progress.json", "history.csv"
# Folders: those before a step's number and an epoch's place, and those of just that name.
CHECKPOINT, BEST, DONE, REPLACED = "checkpoint-", "best-", "done", "replaced"
KNOWN = re.compile(
    rf"{re.escape(RUN)}|{re.escape(SURVEY)}|\..+\.tmp|{CHECKPOINT}\d+|{BEST}(\d+|new)|{DONE}|"
    rf"{REPLACED}|{LOCK_FILE}"
)


@dataclass(frozen=True)
class Work:
    """Where a training is saved while it goes on: ``FOLDER.parts`` beside the folder to come.

    Attributes:
        target: the folder of the checkpoint.
        folder: of saved work.
        held: its lock; None in processes that only read.
    """

    target: Path
    folder: Path
    held: HeldFolder | None = None

    @classmethod
    def beside(cls, target: Path) -> Work:
        """Say where the work of a checkpoint is.

        Args:
            target: the checkpoint's folder.

        Returns:
            The work, of which nothing is touched.
        """
        return cls(target, target.with_name(target.name + ".parts"))

    # Beginning

    def is_whole(self, run: Mapping[str, Any], *, restart: bool) -> bool:
        """Whether the checkpoint of a run is there already; all processes find the same.

        Args:
            run: what decides what comes out.
            restart: it shall be made anew.

        Returns:
            False where it is still to be made, also in place of one by a run with ``restart``.

        Raises:
            ResumeError: if there is one of another run, or something that was never trained here.
        """
        self._refuse_strange_target()
        is_done = (self.folder / DONE).exists()
        goes_on = (self.folder / RUN).exists() and not is_done
        made = self.folder / DONE if is_done else self.target
        if restart or goes_on or not (made / RECORD).exists():
            return False
        refuse_other(self.target, _told(made / RECORD), run)
        return True

    def take(self, run: Mapping[str, Any], *, restart: bool) -> Work:
        """Begin a run, or go on with it.

        Args:
            run: what decides what comes out.
            restart: throw away what is there of an earlier one.

        Returns:
            The work, held.

        Raises:
            ResumeError: if what was trained there is of another run.
            OutputError: if the folder can't be made.
        """
        work = self._hold()
        try:
            known = None if restart else storing.read(self.folder / RUN)
            # Of another run that ended before anything was trained nothing is lost.
            if known is not None and (self._is_trained() or is_same(known, run)):
                refuse_other(self.folder, known, run)
            else:
                with storing.explained(self.folder):
                    work._clear()
                    storing.write(self.folder / RUN, dict(run))
        except BaseException:
            work.release(remove=True)
            raise
        return work

    def settle(self) -> None:
        """Remove what a run left that was killed once its checkpoint was done."""
        if self.folder.exists():
            work = self._hold()
            try:
                work._move_done()
            finally:
                work.release(remove=True)

    def release(self, *, remove: bool = False) -> None:
        """Let another run work there.

        Args:
            remove: the folder, too, where nothing is left in it.
        """
        if self.held is not None:
            self.held.release(remove=remove)

    # Going on

    @property
    def survey(self) -> Path:
        """The file of what is known of the audio, once all is decoded."""
        return self.folder / SURVEY

    def last(self) -> Path | None:
        """The last checkpoint that was saved as a whole, None where there is none."""
        whole = [file.parent for file in self.folder.glob(f"{CHECKPOINT}*/{PROGRESS}")]
        return max(whole, key=lambda path: int(path.name.removeprefix(CHECKPOINT)), default=None)

    def keep_best(self, learner: Learner, epoch: int) -> None:
        """Keep a model as the best so far.

        Args:
            learner: the model.
            epoch: its place.
        """
        partial, whole = self.folder / f"{BEST}new", self.folder / f"{BEST}{epoch}"
        with storing.explained(self.folder):
            for folder in (partial, whole):  # of a run that was killed
                shutil.rmtree(folder, ignore_errors=True)
            partial.mkdir()
            learner.save(partial)
            partial.rename(whole)

    def complete(self, step: int, progress: Mapping[str, Any], best: int | None) -> None:
        """Let a checkpoint count, and remove what it stands in for.

        Args:
            step: after which it was saved; its weights are there.
            progress: how far the training is.
            best: place of the best epoch until then, None before there is one.
        """
        kept = (f"{CHECKPOINT}{step}", f"{BEST}{best}")
        with storing.explained(self.folder):
            storing.write(self.folder / f"{CHECKPOINT}{step}" / PROGRESS, progress)
            for other in self.folder.iterdir():
                if other.name.startswith((CHECKPOINT, BEST)) and other.name not in kept:
                    shutil.rmtree(other)

    def finish(self, best: int, record: Mapping[str, Any], history: str) -> None:
        """Make the checkpoint of the best model, and remove the work.

        Args:
            best: place of its epoch.
            record: what is told of its making.
            history: the table of its epochs.

        Raises:
            OutputError: if it can't be written.
        """
        folder = self.folder / f"{BEST}{best}"
        with storing.explained(self.folder):
            (folder / HISTORY).write_text(history, encoding="utf-8")
            (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            folder.rename(self.folder / DONE)
        self._move_done()

    def _is_trained(self) -> bool:
        # Weights are in folders, and nothing else is.
        return any(file.is_dir() for file in self.folder.iterdir())

    def _hold(self) -> Work:
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            return replace(self, held=HeldFolder.take(self.folder, _refuse_strange))
        except OSError as error:
            raise OutputError(f"{self.folder}: {first_line(error)}; name another -o") from error

    def _move_done(self) -> None:
        done, replaced = self.folder / DONE, self.folder / REPLACED
        self._refuse_strange_target()  # it may be there only since the training began
        with storing.explained(self.folder):
            if done.exists():
                (self.folder / RUN).unlink(missing_ok=True)
                if self.target.exists():
                    shutil.rmtree(replaced, ignore_errors=True)
                    self.target.rename(replaced)
                done.rename(self.target)
            self._clear()

    def _clear(self) -> None:
        (self.folder / RUN).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            (self.folder / DONE / RECORD).unlink()
        for file in self.folder.iterdir():
            if file.is_dir():
                shutil.rmtree(file)
            elif file.name != LOCK_FILE:
                file.unlink()

    def _refuse_strange_target(self) -> None:
        if not self.target.exists() or (self.target / RECORD).is_file():
            return
        if not self.target.is_dir() or any(self.target.iterdir()):
            raise ResumeError(
                f"{self.target}: is there, and is no folder that `emobatch train` wrote; name "
                "another -o, or move it elsewhere"
            )


def _told(record: Path) -> Any:
    try:
        return json.loads(record.read_text(encoding="utf-8"))["run"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ResumeError(f"{record}: can't be read; replace it with --restart") from error


def _refuse_strange(folder: Path) -> None:
    strange = [file.name for file in folder.iterdir() if not KNOWN.fullmatch(file.name)]
    if strange:
        raise ResumeError(
            f"{folder}: holds {strange[0]}, which no training saves; move the folder elsewhere"
        )
