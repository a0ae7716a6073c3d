"""Commands in processes of their own that don't start from nothing.

torch and transformers take seven CPU seconds to import. Where a test needs a process, to kill it
say, but not its start, one that has imported them is forked. That one is clean: it runs nothing,
so it has no threads, which a fork would lose. Polars starts some as it is imported, and is
therefore left to the command, as is emobatch itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType

IMPORTED = (
    "torch",
    "transformers.models.auto.modeling_auto",
    "transformers.models.wav2vec2.modeling_wav2vec2",
    "transformers.models.xlm_roberta.modeling_xlm_roberta",
    "faster_whisper",
)
EMOBATCH = "from emobatch.cli import run; run()"
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload([*IMPORTED])


class Forked:
    """A process as `python -c CODE ARGUMENTS` is one, in the words of `subprocess.Popen`."""

    def __init__(self, said: Path, *arguments: object, code: str = EMOBATCH) -> None:
        """Start it, with this process's environment and working folder.

        `said` is a file for what it writes to standard output and error.
        """
        given = (code, [*map(str, arguments)], dict(os.environ), Path.cwd(), said)
        self._said = said
        self._process: ForkServerProcess = FRESH.Process(target=_become, args=given)
        self._process.start()
        self.pid: int = self._process.pid or 0

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        self._process.join()
        return self._process.exitcode  # type: ignore[return-value]

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)
        self.wait()


def _become(
    code: str, arguments: Sequence[str], environment: dict[str, str], folder: Path, said: Path
) -> None:
    """What the forked process does: it makes itself what a started one would be."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    for number, stream in enumerate((nothing, written, written)):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number, mode in enumerate(("r", "w", "w"))
    )
    sys.argv = ["-c", *arguments]
    module = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(code, "<forked>", "exec"), vars(module))
