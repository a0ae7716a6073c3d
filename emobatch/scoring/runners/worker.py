"""What a process does that scores chunks with models of its own."""

from __future__ import annotations

import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any

from emobatch.errors import EmobatchError, first_line
from emobatch.scoring.recipe import Recipe, RowScorer
from emobatch.scoring.work import Chunk

ENTRY = "emobatch.scoring.runners.worker:serve"
# Chunks that one is given at a time: while one is with the models, the next is decoded.
AT_ONCE = 2


@dataclass(frozen=True)
class Orders:
    """What a process is told when it begins.

    Attributes:
        recipe: how rows are scored.
        threads: batches that it runs at a time.
        level: of the notes that it is to pass on.
    """

    recipe: Recipe
    threads: int
    level: int


@dataclass(frozen=True)
class Ready:
    """Its models are loaded."""


@dataclass(frozen=True)
class Advanced:
    """More is done.

    Attributes:
        counts: as :class:`emobatch.scoring.progress.Progress` is told them.
    """

    counts: dict[str, Any]


@dataclass(frozen=True)
class Noted:
    """Something was logged.

    Attributes:
        logger: its name.
        level: of what was said.
        text: what was said.
    """

    logger: str
    level: int
    text: str


@dataclass(frozen=True)
class Failed:
    """What ends the run.

    Attributes:
        first: of the chunk that it happened with, None where models can't be loaded.
        error: what it is.
    """

    first: int | None
    error: Exception


class Sender:
    """Says things to whoever started this process, from any thread; a progress, too."""

    is_shown = True  # or not: whoever started this process knows

    def __init__(self, line: Connection) -> None:
        """Say nothing yet."""
        self._line, self._lock = line, Lock()

    def say(self, message: object) -> None:
        """Say something.

        Args:
            message: to be pickled.
        """
        with self._lock:
            self._line.send(message)

    def start(self, rows: int, done: int = 0) -> None:
        """Hear of a run."""

    def begin(self) -> None:
        """Hear of its models."""

    def advance(self, **counts: Any) -> None:
        """Pass on what is done."""
        self.say(Advanced(counts))


class PassedOn(logging.Handler):
    """Passes notes on to whoever started this process."""

    def __init__(self, sender: Sender) -> None:
        """Begin."""
        super().__init__()
        self._sender = sender

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a note on."""
        self._sender.say(Noted(record.name, record.levelno, record.getMessage()))


def serve(line: Connection) -> None:
    """Score chunks as they come.

    Args:
        line: gives :class:`Orders` and then chunks of a manifest; takes the messages of this
            module, and the chunks as they are scored.
    """
    sender = Sender(line)
    orders: Orders = line.recv()
    log = logging.getLogger("emobatch")
    log.setLevel(orders.level)
    log.propagate = False
    log.addHandler(PassedOn(sender))
    device = replace(orders.recipe.device, workers=orders.threads)
    try:
        scorer = replace(orders.recipe, device=device).open()
    except Exception as error:
        sender.say(Failed(None, sendable(error)))
        return
    with scorer, ThreadPoolExecutor(AT_ONCE) as pool:
        sender.say(Ready())
        while True:
            pool.submit(_score, scorer, line.recv(), sender)


def _score(scorer: RowScorer, chunk: Chunk, sender: Sender) -> None:
    try:
        sender.say(Chunk(chunk.first, scorer.score(chunk.frame, sender)))
    except Exception as error:
        sender.say(Failed(chunk.first, sendable(error)))


def sendable(error: Exception) -> Exception:
    """Make an error of one that can be sent to another process.

    Args:
        error: any.

    Returns:
        The same, or one that says the same.

    Examples:
        >>> sendable(EmobatchError("no such file"))
        EmobatchError('no such file')
    """
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:
        copy = None
    if type(copy) is type(error) and str(copy) == str(error):
        return error
    return EmobatchError(f"{type(error).__name__}: {first_line(error)}")
