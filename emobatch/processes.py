"""Processes of our own: given work over a socket, and gone with whoever started them."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from select import poll
from threading import Thread

# What schedulers and terminals send to all processes of a job: for the one that started these to
# heed, which then ends them.
FOR_THE_FIRST = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
# What a job may have of memory, and has: the second version of control groups, and the first.
CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
# Seconds that one takes to be gone, at most, where it can be ended at all.
PATIENCE = 5.0
SERVE = """\
import gc, sys
gc.set_threshold(int(sys.argv[3]))
from emobatch.processes import serve
serve(sys.argv[1], int(sys.argv[2]))
"""


def can_start() -> bool:
    """Whether processes can be started here as :class:`Child` does it."""
    # A program frozen into one file would start itself.
    return os.name == "posix" and bool(sys.executable) and not hasattr(sys, "frozen")


@dataclass(frozen=True, eq=False)
class Child:
    """A process, and the line to it.

    Attributes:
        process: as it was started.
        line: what is sent to it, and what it answers.
    """

    process: subprocess.Popen[bytes]
    line: Connection

    @classmethod
    def start(cls, entry: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start a process.

        It imports what it needs and nothing of the program that starts it, so that a script needs
        no guard and a worker of another library may start some.

        Args:
            entry: ``module:function``, called with its end of the line.
            environment: settings beside those that this process has.

        Returns:
            The process, which may still be getting ready.

        Raises:
            OSError: if there are too many, or there is no memory for it.
        """
        ours, theirs = socket.socketpair()
        often = str(gc.get_threshold()[0])  # garbage is looked for as it is here
        # Modules are looked for where this process looks, the working folder being none of that.
        path = os.pathsep.join(folder or str(os.getcwd()) for folder in sys.path)  # noqa: PTH109
        with theirs:
            try:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-c", SERVE, entry, str(theirs.fileno()), often],
                    env={**os.environ, "PYTHONPATH": path, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,  # ours is for results
                    pass_fds=[theirs.fileno()],
                    process_group=0,  # Ctrl-C is for this process alone
                )
            except BaseException:
                ours.close()
                raise
        return cls(process, Connection(ours.detach()))

    def end(self) -> str:
        """End it at once, unless it has ended.

        Returns:
            How it ended, as far as a message needs it.
        """
        self.process.kill()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            # Inside a call of the system's that even this doesn't end, as on a dead file system.
            code = -signal.SIGKILL
        self.line.close()
        return signal.Signals(-code).name if code < 0 else f"status {code}"


def serve(entry: str, handle: int) -> None:
    """Do what a process was started for, until whoever started it is done or gone.

    Args:
        entry: ``module:function``.
        handle: of its end of the line.
    """
    numbers = {getattr(signal, name) for name in FOR_THE_FIRST if hasattr(signal, name)}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    Thread(target=_end_with, args=(handle,), daemon=True).start()
    module, _, name = entry.partition(":")
    try:
        getattr(import_module(module), name)(Connection(handle))
    except (EOFError, ConnectionError):
        return


def _end_with(handle: int) -> None:
    # Also in the middle of a library's call that never ends.
    hung_up = poll()
    hung_up.register(handle, 0)
    hung_up.poll()
    os.kill(os.getpid(), signal.SIGKILL)


def free_memory() -> int | None:
    """How much memory processes can still take, on this machine and in this job.

    Returns:
        Bytes; None where the system doesn't tell.
    """
    found = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        found.append(int(sizes["MemAvailable"].split()[0]) << 10)
    except (OSError, LookupError, ValueError):
        pass
    for limit, used in CGROUPS:
        try:
            most = int(Path(limit).read_text(encoding="ascii"))
            found.append(most - int(Path(used).read_text(encoding="ascii")))
        except (OSError, ValueError):  # `max`: there is no limit
            continue
    return max(0, min(found)) if found else None
