"""What would stop a run, found before it waits in a queue.

Every check does what a run does, with the run's own code, and says what it found or how to mend it.
Models are looked for on this machine only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path

from emobatch.doctor import devices, folders, machine, models
from emobatch.doctor.finding import Finding, check
from emobatch.errors import ExaminationError
from emobatch.models.choice import Choice


def examine(choice: Choice, output: Path | None = None) -> Iterator[Finding]:
    """Check all that a run needs, what is quick first.

    Args:
        choice: models, device and options of the run.
        output: the table that it would write, None for standard output.

    Yields:
        A finding for each check, as soon as it is there.
    """
    yield check("software", machine.software)
    yield check("cores", machine.cores)
    if output is not None:
        yield check("output", partial(folders.output, output))
    yield check("temporary files", folders.temporary)
    yield check("decoders", _decoders)
    there = []
    branches = choice.names()
    for branch in branches:
        if (yield from _passes(f"{branch} model", partial(models.find, choice, branch))):
            there.append(branch)
    yield check("memory", partial(machine.memory, choice, there))
    # Where there is no device, nothing that would run on it can be tried.
    if (yield from _passes("device", partial(devices.torch_device, choice))):
        yield check("precision", partial(devices.precision, choice))
        if "asr" in branches:
            yield check("Whisper's device", partial(devices.whisper_device, choice))
        for branch in models.tried(choice, there):
            yield check(f"{branch} scores", partial(models.score, choice, branch))


def _decoders() -> str:
    # Here, so that a library that can't be imported is a finding, too.
    from emobatch.doctor import decoders

    return decoders.decode_all()


def _passes(name: str, look: Callable[[], str]) -> Generator[Finding, None, bool]:
    finding = check(name, look)
    yield finding
    return finding.passed


def refuse_failures(findings: Sequence[Finding]) -> None:
    """Fail if a check did.

    Args:
        findings: of all checks.

    Raises:
        ExaminationError: names the checks that failed.
    """
    failed = [finding.name for finding in findings if not finding.passed]
    if failed:
        raise ExaminationError(
            f"{len(failed)} of {len(findings)} checks failed: {', '.join(failed)}; mend what is "
            "said of them on standard output"
        )
