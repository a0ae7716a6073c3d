"""Utterances whose files are fetched ahead of the decoders, many at a time, and in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from threading import Event, Thread

from emobatch.manifests.fetching import Fetched, Fetcher
from emobatch.scoring.utterances import AUDIO_STAGE, Utterance

# Files that are fetched at a time: a network's delay is waited for by all of them at once.
FETCHED_AHEAD = 16


@dataclass
class Fetching:
    """A file on its way here, by a thread of its own.

    The thread is a daemon: a server that is slow to say no holds up no end of a run.

    Attributes:
        utterance: whose file it is.
        fetcher: fetches it.
        done: set once it is here, or can't be had.
        came: what came, None while or where nothing does.
        trouble: why it can't be had, None where it can.
        dropped: set when nobody wants it any more.
    """

    utterance: Utterance
    fetcher: Fetcher
    done: Event = field(default_factory=Event)
    came: Fetched | None = None
    trouble: Exception | None = None
    dropped: bool = False

    def start(self) -> None:
        """Begin; what is here already takes no thread."""
        if self.utterance.clip.is_here:
            self.done.set()
        else:
            Thread(target=self._fetch, daemon=True).start()

    def arrived(self) -> Utterance:
        """Wait for it.

        Returns:
            The utterance: of a file here, or failed.
        """
        self.done.wait()
        if self.trouble is not None:
            self.utterance.fail(AUDIO_STAGE, self.trouble)
            self.utterance.decoded = True
        elif self.came is not None:
            self.utterance.fetched(self.came)
        return self.utterance

    def drop(self) -> None:
        """Want it no more."""
        self.dropped = True
        if self.done.is_set() and self.came is not None:
            self.came.release()

    def _fetch(self) -> None:
        try:
            self.came = self.fetcher.fetch(self.utterance.clip)
        except Exception as error:
            self.trouble = error
        self.done.set()
        if self.dropped:
            self.drop()


def fetched(utterances: Iterable[Utterance], fetcher: Fetcher) -> Iterator[Utterance]:
    """Have the files of utterances here, those of the next ones while one is decoded.

    Args:
        utterances: of a chunk.
        fetcher: fetches what isn't here.

    Yields:
        The same in order, each of a file here, or failed.
    """
    waiting = iter(utterances)
    ahead: deque[Fetching] = deque()
    try:
        while True:
            for utterance in islice(waiting, FETCHED_AHEAD - len(ahead)):
                ahead.append(Fetching(utterance, fetcher))
                ahead[-1].start()
            if not ahead:
                return
            yield ahead.popleft().arrived()
    finally:
        for fetching in ahead:
            fetching.drop()
