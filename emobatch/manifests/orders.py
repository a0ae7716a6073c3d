"""What decoders are asked to do, and what they find: also where one crashes or hangs."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic

from emobatch.errors import AudioError
from emobatch.manifests.blocks import Samples
from emobatch.manifests.clip import Clip
from emobatch.manifests.decoder import END, Decode, Found, Measure, Task
from emobatch.manifests.decoders import PATIENCE, Decoders, Turn
from emobatch.processes import Child

log = logging.getLogger(__name__)

# A process may have been killed for what others do; a file that ends two of them did it.
ATTEMPTS = 2
NOTHING_MORE = "nothing more could be read of it in {:g} s"
CRASHED = "its decoder ended with {}"
CONVERT = "; convert the file to another format"


class Order(Generic[Found]):
    """Something that a decoder is to do, when it is its turn."""

    def __init__(
        self, decoders: Decoders, task: Task[Found], time_limit: float, attempts: int = ATTEMPTS
    ) -> None:
        """Wait for a decoder.

        Args:
            decoders: one of which does it.
            task: what is to be done.
            time_limit: seconds to wait for what is found next.
            attempts: decoders that it may end.
        """
        self._decoders, self._task = decoders, task
        self._time_limit, self._attempts = time_limit, attempts
        self._turn = Turn()
        self._is_idle = False
        decoders.queue(self._turn)

    def cancel(self) -> None:
        """Want it no more."""
        self._decoders.cancel(self._turn)

    def results(self) -> Iterator[Found]:
        """Have it done.

        Yields:
            What the task gives, in order.

        Raises:
            AudioError: if the task can't go on, or its process crashed or hung.
        """
        child = self._decoders.take(self._turn)
        if child is None and not self._is_over():
            yield from self._task.run()
            return
        seen, ended = 0, None
        for attempt in range(self._attempts):
            if child is None:
                break
            if self._is_over():
                self._decoders.give_back(child, self._turn, is_idle=False)
                break
            self._is_idle = False
            try:
                for number, found in enumerate(self._answers(child)):
                    if number >= seen:  # else it was handed on before
                        seen += 1
                        yield found
                return
            except (EOFError, OSError):
                log.debug("%s: its decoder ended, for the %d. time", self._task, attempt + 1)
            finally:
                ended = self._decoders.give_back(child, self._turn, is_idle=self._is_idle)
            if attempt + 1 < self._attempts and not self._is_over():
                child = self._decoders.started(self._turn)
        if not self._is_over():
            raise AudioError(CRASHED.format(ended) + CONVERT)

    def _answers(self, child: Child) -> Iterator[Found]:
        child.line.send(self._task)
        while child.line.poll(self._time_limit):
            content = child.line.recv_bytes()
            if content != END:
                yield self._task.unpacked(content)
                continue
            cause = child.line.recv()
            self._is_idle = True
            if cause is not None:
                raise cause
            return
        raise AudioError(NOTHING_MORE.format(self._time_limit))

    def _is_over(self) -> bool:
        return self._turn.is_cancelled or self._decoders.is_closed


def windows(
    decoders: Decoders, clip: Clip, most: float = math.inf, time_limit: float = PATIENCE
) -> Iterator[Samples]:
    """Have one clip decoded, by whoever waits for it.

    Args:
        decoders: one of which does it.
        clip: of a file here.
        most: seconds of audio that may be decoded of it.
        time_limit: seconds to wait for more of it.

    Yields:
        What :func:`emobatch.manifests.clip.read` gives.

    Raises:
        AudioError: if it can't be read, or its decoder crashed or hung.
    """
    order = Order(decoders, Decode(clip, most), time_limit)
    try:
        yield from order.results()
    finally:
        order.cancel()


def lengths(decoders: Decoders, clips: Sequence[Clip], time_limit: float) -> Iterator[float | str]:
    """Have it read by their headers how long files are.

    Args:
        decoders: read them.
        clips: of files here.
        time_limit: seconds to wait for any of them.

    Yields:
        Seconds of each file, in order, or why it can't be read. Nothing more once the decoders
        are closed.
    """
    done = 0
    if clips and not decoders.is_broken:
        together = Order(decoders, Measure(tuple(clips)), time_limit, attempts=1)
        try:
            results = together.results()
            for found in results:
                if done + 1 == len(clips):
                    # Who asks for no more than there is would leave the process at work.
                    deque(results, maxlen=0)
                done += 1
                yield found
        except AudioError:
            pass  # by which of them isn't known: so each of the others is read alone
        finally:
            together.cancel()
    for clip in clips[done:]:
        alone = Order(decoders, Measure((clip,)), time_limit)
        try:
            yield from list(alone.results())
        except AudioError as error:
            yield str(error)
        finally:
            alone.cancel()
