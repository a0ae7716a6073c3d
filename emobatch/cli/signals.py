"""Signals by which a scheduler or a user ends a run."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, TypeVar

from emobatch.errors import Interrupted
from emobatch.tables.visible import visible

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

Result = TypeVar("Result")

# Slurm warns with SIGUSR1 or SIGUSR2 where told to, and SIGTERM comes before SIGKILL.
NAMES = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP")
# Seconds that an orderly end may take. Schedulers commonly wait 30 before SIGKILL.
GRACE = 20.0
# The same for work that is asked to end, and has gigabytes to save first.
LONG_GRACE = 600.0
# Seconds between two looks whether a signal has been handled.
PAUSE = 0.05
RACE = "ignored due to race condition"
SHOW_CURSOR = b"\x1b[?25h"


class Signals:
    """Lets a signal end the process with one line and status 75, whenever it comes.

    Before the command begins, that is at once. While it works, :class:`Interrupted` is raised in
    it, once, so that it leaves nothing half-written. When it is over, a late warning doesn't make
    a failure of it. Handlers are set before Polars is imported, which puts its own before that of
    SIGINT, and only with it breaks off a query.
    """

    def __init__(self) -> None:
        """Heed no signal yet."""
        self._came: int | None = None  # to the process
        self._number: int | None = None  # that a handler was called for
        self._works = False
        self._is_over = False
        self._is_asked = False  # and not told: the work ends itself

    def heed(self) -> None:
        """Take the signals of the process from now on. To be called once, in the main thread."""
        # First, so that it runs last. Python takes its handlers back before the process is gone.
        atexit.register(self._ignore)
        for number in self._numbers():
            signal.signal(number, self._handle)
        sys.unraisablehook = self._unraisable
        self._watch()

    def run(self, work: Callable[[], Result]) -> Result:
        """Do what signals may interrupt.

        Args:
            work: to be done.

        Returns:
            What it returns; after a signal, the process ends here.
        """
        said = ""
        try:
            try:
                self._works = True
                result = work()
            finally:
                self._is_over = True  # from here on no signal raises anything
        except BaseException as error:
            if self._number is None:
                raise
            said = _message(error)
        if self._number is not None:
            with suppress(OSError, ValueError):
                sys.stdout.flush()  # unless whoever reads it is gone
            self._end(said)
        return result

    @contextmanager
    def asking(self) -> Iterator[Callable[[], str | None]]:
        """Ask work to end, instead of breaking it off: a training is saved between two steps.

        Work that doesn't end within :data:`LONG_GRACE` is broken off all the same.

        Yields:
            What says which signal came, as a message has it; None while none did.
        """
        self._is_asked = True
        try:
            yield lambda: self._said(self._came) if self._came is not None else None
        finally:
            self._is_asked = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._is_asked:
            self._came = self._came or number
            return
        if self._is_over or self._number is not None:
            return  # once is enough: nothing disturbs the ending
        self._number = self._came or number
        if not self._works:
            self._end()
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            # Polars is out of it now, or another SIGINT would stop what says how much is saved.
            signal.signal(signal.SIGINT, self._handle)
        if not isinstance(sys.exc_info()[1], KeyboardInterrupt):  # as Polars raises of it
            raise Interrupted(self._said())

    def _said(self, number: int | None = None) -> str:
        return f"interrupted by {signal.Signals(number or self._number or signal.SIGINT).name}"

    def _end(self, said: str = "", before: bytes = b"") -> NoReturn:
        line = before + f"Error: {said or self._said()}\n".encode(errors="replace")
        with suppress(OSError):
            os.write(2, line)  # not by way of sys.stderr, in the middle of whose writing we may be
        # Threads of the libraries may be anywhere, and an orderly exit would abort on them.
        os._exit(Interrupted.exit_code)

    def _unraisable(self, failure: UnraisableHookArgs) -> None:
        if isinstance(failure.exc_value, KeyboardInterrupt) and self._works and not self._is_over:
            self._end_hard()  # raised where Python drops it: in a destructor, say
        # So Python says that a signal came just as its handler was taken back.
        is_race = isinstance(failure.exc_value, OSError) and RACE in str(failure.exc_value)
        if self._number is None and not is_race:
            sys.__unraisablehook__(failure)

    def _end_hard(self) -> NoReturn:
        # A progress bar may be shown, which is now left as it is.
        self._end(before=b"\n" + SHOW_CURSOR if os.isatty(2) else b"")

    def _watch(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        Thread(target=self._await, args=(reading,), name="signals", daemon=True).start()

    def _await(self, pipe: int) -> None:
        # Handlers run between two steps of Python, and a library's call may take minutes. It may
        # also have swallowed what was raised.
        from time import monotonic, sleep

        self._came = number = os.read(pipe, 1)[0]
        until = monotonic() + (LONG_GRACE if self._is_asked else GRACE)
        while monotonic() < until:
            sleep(PAUSE)
            if self._number is None and not self._is_over and not self._is_asked:
                self._wake(number)
        if self._number is None and self._is_over:
            return  # the work was done by then
        self._number = number
        self._end_hard()

    def _wake(self, number: int) -> None:
        if not hasattr(signal, "pthread_kill"):
            return
        # Polars lets waiting and reading go on after SIGINT, and breaks off its queries for no
        # other signal.
        signal.siginterrupt(signal.SIGINT, True)
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            number = signal.SIGINT
        signal.pthread_kill(main_thread().ident or 0, number)

    def _numbers(self) -> list[int]:
        # Windows knows two of them.
        numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
        # What was ignored when we came, as SIGHUP is under nohup, stays ignored.
        return [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]

    def _ignore(self) -> None:
        self._is_over = True
        for number in self._numbers():
            signal.signal(number, signal.SIG_IGN)


def _message(error: BaseException | None) -> str:
    # A library may have made another error of it, as some do while they are imported.
    while error is not None and not isinstance(error, Interrupted):
        error = error.__cause__ or error.__context__
    return "" if error is None else visible(str(error))
