"""Utterances decoded ahead of the models and in order: by processes, or by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from threading import Event, Thread

from emobatch.errors import AudioError
from emobatch.manifests.blocks import Samples
from emobatch.manifests.decoder import Decode
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.orders import NOTHING_MORE, Order
from emobatch.models.cores import available_cores
from emobatch.models.names import MOST_SECONDS
from emobatch.scoring.ahead import fetched
from emobatch.scoring.utterances import AUDIO_STAGE, Utterance, Window

# Files that are decoded ahead, and windows of each: at most 60 MB. Decoders leave Python's lock
# alone most of the time; more than a few starve the models of cores.
FILES_AHEAD = 2 * min(4, available_cores())
WINDOWS_AHEAD = 2


@dataclass
class Decoding:
    """A file that is being decoded, by a process that a thread of its own waits for.

    Without processes the thread decodes it itself. One that hangs, as in a network file system
    that has gone away, can't be stopped. So it is left behind: a daemon, which holds up neither
    other files nor the end of the process.

    Attributes:
        utterance: whose file it is.
        task: decodes it.
        order: has that done in another process, None to do it here.
        windows: what is decoded; then what went wrong, or None where the file has ended.
        abandoned: set when nobody waits for it any more.
    """

    utterance: Utterance
    task: Decode
    order: Order[Samples] | None = None
    windows: Queue[Samples | Exception | None] = field(default_factory=lambda: Queue(WINDOWS_AHEAD))
    abandoned: Event = field(default_factory=Event)

    def start(self) -> None:
        """Begin."""
        Thread(target=self._decode, daemon=True).start()

    def abandon(self) -> None:
        """Wait for it no more."""
        self.abandoned.set()
        if self.order is not None:
            self.order.cancel()

    def _decode(self) -> None:
        try:
            found = self.task.run() if self.order is None else self.order.results()
            for window in found:
                self._hand_on(window)
                if self.abandoned.is_set():
                    return
        except Exception as error:
            self._hand_on(error)
        else:
            self._hand_on(None)

    def _hand_on(self, item: Samples | Exception | None) -> None:
        while not self.abandoned.is_set():
            try:
                self.windows.put(item, timeout=1)
            except Full:
                continue  # the models have other files to score first
            return


def decode(
    utterances: Iterable[Utterance],
    time_limit: float,
    most_seconds: float = MOST_SECONDS,
    decoders: Decoders | None = None,
    fetcher: Fetcher | None = None,
) -> Iterator[Window]:
    """Decode utterances, each once for all scorers.

    Args:
        utterances: marked as decoded, or failed, on the way.
        time_limit: seconds to wait for a file's next window before its row fails.
        most_seconds: of audio that may be decoded of a file before its row fails.
        decoders: processes that decode files, None to decode them in this one. What is in memory
            is always decoded here.
        fetcher: fetches files that aren't here, ahead of these processes; None where all are.

    Yields:
        Their windows in order.
    """
    ahead: deque[Decoding] = deque()
    try:
        for utterance in fetched(utterances, fetcher or Fetcher()):
            if utterance.decoded:
                continue  # there is nothing to decode
            task, order = Decode(utterance.clip, most_seconds), None
            if utterance.clip.sound is None and decoders is not None and not decoders.is_broken:
                order = Order(decoders, task, time_limit)
            ahead.append(Decoding(utterance, task, order))
            ahead[-1].start()
            if len(ahead) > FILES_AHEAD:
                yield from _windows(ahead[0], time_limit)
                ahead.popleft()
        while ahead:
            yield from _windows(ahead[0], time_limit)
            ahead.popleft()
    finally:
        for decoding in ahead:
            decoding.abandon()
            decoding.utterance.end_decoding()


def _windows(decoding: Decoding, time_limit: float) -> Iterator[Window]:
    utterance = decoding.utterance
    follows = False
    while True:
        try:
            # A process is watched by the thread that waits for it.
            limit = time_limit if decoding.order is None else None
            found = decoding.windows.get(timeout=limit)
        except Empty:
            decoding.abandon()
            found = AudioError(NOTHING_MORE.format(time_limit))
        if found is None:
            break
        if isinstance(found, Exception):
            utterance.fail(AUDIO_STAGE, found)
            break
        utterance.windows_left += 1
        yield Window(utterance, found, follows)
        follows = True
    utterance.end_decoding()
