"""A training's folder of saved work, and the checkpoint that becomes of it."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emobatch.errors import OutputError, ResumeError, first_line
from emobatch.models.files import RECORD
from emobatch.scoring.folder import HeldFolder
from emobatch.scoring.made_with import refuse_other

if TYPE_CHECKING:
    from emobatch.training.learner import Learner

log = logging.getLogger(__name__)
RUN, BEST, SURVEY = "run.json", "best", "audio.json"
HISTORY = "history.csv"


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

    def take(self, run: Mapping[str, Any], *, restart: bool) -> Work:
        """Begin a run, or go on with it.

        Args:
            run: what decides what comes out.
            restart: throw away what is there of an earlier one.

        Returns:
            The work, held.

        Raises:
            ResumeError: if what is there is of another run.
            OutputError: if the folder can't be made.
        """
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            work = Work(
                self.target, self.folder, HeldFolder.take(self.folder, self._refuse_strange)
            )
        except OSError as error:
            raise OutputError(f"{self.folder}: {first_line(error)}; name another -o") from error
        try:
            if restart:
                self._clear()
            known = self.read(RUN)
            if known is not None:
                refuse_other(self.folder, known, run)
            else:
                self.write(RUN, dict(run))
        except BaseException as error:
            work.release(remove=True)
            if isinstance(error, OSError):
                raise OutputError(f"{self.folder}: {first_line(error)}; name another -o") from error
            raise
        return work

    def is_whole(self, run: Mapping[str, Any], *, restart: bool) -> bool:
        """Whether the checkpoint of a run is there already.

        Args:
            run: what decides what comes out.
            restart: it shall be made anew.

        Returns:
            False where it is still to be made.

        Raises:
            ResumeError: if there is one of another run, or something that was never trained here.
        """
        if not self.target.exists() or (self.target.is_dir() and not any(self.target.iterdir())):
            return False
        record = self.target / RECORD
        if not record.is_file():
            raise ResumeError(
                f"{self.target}: is there, and is no folder that `emobatch train` wrote; name "
                "another -o"
            )
        if restart:
            return False
        refuse_other(self.target, self._told(record), run)
        return True

    def last(self) -> Path | None:
        """The last checkpoint that was saved as a whole, None where there is none."""
        whole = [file.parent for file in self.folder.glob("checkpoint-*/progress.json")]
        return max(whole, key=lambda path: int(path.name.partition("-")[2]), default=None)

    def keep_best(self, learner: Learner) -> None:
        """Keep a model as the best so far.

        Args:
            learner: the model.
        """
        partial = self.folder / f"{BEST}.new"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        learner.save(partial)
        shutil.rmtree(self.folder / BEST, ignore_errors=True)
        partial.rename(self.folder / BEST)

    def finish(self, record: Mapping[str, Any], history: str) -> None:
        """Make the checkpoint of the best model, and remove the work.

        Args:
            record: what is told of its making.
            history: the table of its epochs.

        Raises:
            OutputError: if it can't be written.
        """
        best = self.folder / BEST
        try:
            (best / HISTORY).write_text(history, encoding="utf-8")
            (best / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            before = self.folder / "replaced"
            if self.target.exists():
                shutil.rmtree(before, ignore_errors=True)
                self.target.rename(before)
            best.rename(self.target)
            self._clear()
        except OSError as error:
            raise OutputError(f"{self.target}: {first_line(error)}; name another -o") from error

    def release(self, *, remove: bool = False) -> None:
        """Let another run work there.

        Args:
            remove: the folder, too, where nothing is left in it.
        """
        if self.held is not None:
            self.held.release(remove=remove)

    def read(self, name: str) -> Any:
        """Read what :meth:`write` kept.

        Args:
            name: of a file.

        Returns:
            What it holds; None where there is none, or none that is whole.
        """
        with suppress(OSError, ValueError):
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        return None

    def write(self, name: str, value: Any) -> None:
        """Keep something for a run that goes on.

        Args:
            name: of a file.
            value: as JSON has it.
        """
        partial = self.folder / f"{name}.new"
        partial.write_text(json.dumps(value), encoding="utf-8")
        partial.replace(self.folder / name)

    def _told(self, record: Path) -> Any:
        try:
            return json.loads(record.read_text(encoding="utf-8"))["run"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ResumeError(f"{record}: can't be read; replace it with --restart") from error

    def _refuse_strange(self, folder: Path) -> None:
        known = re.compile(
            rf"({re.escape(RUN)}|{BEST}|{SURVEY}|replaced|checkpoint-\d+|lock)(\.new)?"
        )
        strange = [file.name for file in folder.iterdir() if not known.fullmatch(file.name)]
        if strange:
            raise ResumeError(
                f"{folder}: holds {strange[0]}, which no training saves; move the folder elsewhere"
            )

    def _clear(self) -> None:
        for file in self.folder.iterdir():
            if file.is_dir():
                shutil.rmtree(file)
            elif file.name != "lock":
                file.unlink()
