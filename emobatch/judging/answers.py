"""Answers that were paid for: kept as they come, so that none is asked for twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from emobatch.errors import ResumeError
from emobatch.scoring.folder import LOCK_FILE, HeldFolder, refuse_foreign
from emobatch.tables import reading

FILE = "answers.jsonl"


def key_of(model: str, options: Mapping[str, Any], messages: list[dict[str, str]]) -> str:
    """Say which answer is meant.

    Args:
        model: its name.
        options: of the request, those that the answer depends on.
        messages: of the chat.

    Returns:
        A digest of all that the model is told.
    """
    told = json.dumps([model, dict(options), messages], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


@dataclass
class Answers:
    """A folder ``TABLE.parts`` with one file of answers, a JSON object to a line.

    Attributes:
        held: the folder, locked as long as this run writes there.
        texts: what was answered, by key.
    """

    held: HeldFolder
    texts: dict[str, str]
    _file: IO[bytes] = field(repr=False)

    @classmethod
    def open(cls, target: Path) -> Self:
        """Take the answers that are kept beside a table.

        Args:
            target: the table to be.

        Returns:
            The answers, of which there may be none.

        Raises:
            ResumeError: if another run writes there, or something else is in the way.
        """
        folder = target.with_name(target.name + ".parts")
        with reading.explained(str(folder)):
            held = HeldFolder.take(folder, _check_ours)
            try:
                file = folder / FILE
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
                handle = os.fdopen(os.open(file, flags, 0o666), "r+b", buffering=0)
                texts = _read(handle)
            except BaseException:
                held.release()
                raise
        return cls(held, texts, handle)

    def __enter__(self) -> Self:
        """Hold the lock."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Let another run write here; a folder without an answer goes."""
        self._file.close()
        empty = not self.texts
        if empty:
            (self.held.path / FILE).unlink(missing_ok=True)
        self.held.release(remove=empty)

    def add(self, key: str, text: str) -> None:
        """Keep an answer.

        Args:
            key: which.
            text: what the model wrote.

        Raises:
            TableError: if it can't be written.
        """
        line = json.dumps({"key": key, "text": text}, ensure_ascii=False) + "\n"
        with reading.explained(str(self.held.path)):
            self._file.write(line.encode("utf-8", "surrogatepass"))
        self.texts[key] = text


def _read(handle: IO[bytes]) -> dict[str, str]:
    # A run that was killed may have left half a line: it goes, or the next would be spoilt too.
    content = handle.read()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        handle.truncate(len(whole))
    texts = {}
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            said = json.loads(line.decode("utf-8", "surrogatepass"))
            texts[str(said["key"])] = str(said["text"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ResumeError(
                f"line {number} of {FILE} is damaged; remove that line, or the folder"
            ) from error
    return texts


def _check_ours(folder: Path) -> None:
    found = {file.name for file in folder.iterdir()}
    if not found <= {LOCK_FILE, FILE}:
        raise ResumeError(f"{folder}: is in the way and not `emobatch judge`'s; move it elsewhere")
    for name in found:
        refuse_foreign(folder / name)
