"""Runs of `score` in a process of their own that are stopped once their first chunk is saved."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

# The command, which then waits for the signal: it is never too fast to be stopped.
WAITING = """
import time
from emobatch.scoring.parts import Parts
def add_and_wait(self, first, frame, add=Parts.add):
    add(self, first, frame)
    time.sleep(600)
Parts.add = add_and_wait
from emobatch.cli import run
run()
"""


def stop(
    arguments: tuple[object, ...], number: int, is_saved: Callable[[], object], before: str = ""
) -> tuple[subprocess.Popen[str], str]:
    """Run a command until something is saved, and send it a signal.

    Args:
        arguments: of the command line.
        number: the signal's.
        is_saved: whether something is.
        before: code that the process runs first.

    Returns:
        The process, which has ended, and what it said on standard error.
    """
    command = [sys.executable, "-c", before + WAITING, *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None and not is_saved():
            time.sleep(0.02)
        run.send_signal(number)
        _, said = run.communicate(timeout=600)
    return run, said
