"""The software, cores and memory that a run would have."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection
from pathlib import Path

from rich.filesize import decimal

from emobatch.doctor import models
from emobatch.errors import ExaminationError
from emobatch.models.choice import Choice
from emobatch.models.cores import available_cores
from emobatch.tables import provenance

# Weights are in memory twice while they are loaded and converted; libraries and audio beside them.
WEIGHTS_FACTOR = 2
BESIDE_WEIGHTS = 10**9


def software() -> str:
    """Versions of the packages that scores depend on."""
    found = provenance.software(provenance.SCORING_PACKAGES)
    missing = [name for name in provenance.SCORING_PACKAGES if name not in found]
    if missing:
        raise ExaminationError(
            f"{', '.join(missing)}: not installed; pip install {' '.join(missing)}"
        )
    return ", ".join(f"{name} {release}" for name, release in found.items())


def cores() -> str:
    """Cores that a scheduler has left to this process."""
    return f"{available_cores()} of this machine's {os.cpu_count()}, {platform.machine()}"


def memory(choice: Choice, branches: Collection[str]) -> str:
    """Memory, against what models take to load; of those that aren't here that isn't known."""
    found = [models.checkpoint(choice, branch) for branch in branches]
    needed = WEIGHTS_FACTOR * sum(each.size() for each in found) + BESIDE_WEIGHTS
    free = available_memory()
    absent = [name for branch, name in choice.names().items() if branch not in branches]
    says = f"{decimal(free)} to be had, about {decimal(needed)} needed to load the models"
    if absent:
        says += f" that are here; unknown what {', '.join(absent)} would need beside them"
    if free < needed:
        raise ExaminationError(
            f"{says}; ask for more (Slurm: --mem), or take a smaller --asr-model"
        )
    return says


def available_memory(system: Path = Path("/")) -> int:
    """Bytes that this process can still take: what is free, and no more than a job's limit.

    Args:
        system: root of ``proc`` and ``sys``, where Linux tells.

    Returns:
        Bytes; where nothing is told, all memory of the machine.
    """
    amounts = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    meminfo = system / "proc/meminfo"
    if meminfo.exists():
        lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
        amounts.append(int(lines["MemAvailable"].split()[0]) * 1024)
    for file in _limits(system):
        text = file.read_text().strip() if file.is_file() else ""
        if text.isdigit():  # or "max"
            amounts.append(int(text))
    return min(amounts)


def _limits(system: Path) -> list[Path]:
    # Files with the limits of the control groups that this process is in, of either version.
    groups = system / "proc/self/cgroup"
    files: list[Path] = []
    for line in groups.read_text().splitlines() if groups.exists() else ():
        _, controllers, name = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = system / "sys/fs/cgroup" / controllers
        file = "memory.limit_in_bytes" if controllers else "memory.max"
        own = root / name.lstrip("/")
        files += [folder / file for folder in (own, *own.parents) if folder.is_relative_to(root)]
    return files
