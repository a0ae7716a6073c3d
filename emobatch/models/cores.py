"""How many cores this process may use: no more than whoever runs the job has given it."""

from __future__ import annotations

import math
import os
from pathlib import Path

# What Slurm says a task may use, also where it doesn't bind it to cores.
SLURM_CORES = "SLURM_CPUS_PER_TASK"
# Where a container's share of the processor stands, in microseconds of each period.
QUOTA = Path("sys/fs/cgroup/cpu.max")


def available_cores(system: Path = Path("/")) -> int:
    """Number of cores that a scheduler has left to this process.

    Args:
        system: root of ``sys``, where Linux tells of a container's share.

    Returns:
        The least of those that the process is bound to, those that Slurm gave its task, and what
        a container may take of them; at least 1.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    given = os.environ.get(SLURM_CORES, "")
    if given.isdecimal() and int(given):
        cores = min(cores, int(given))
    return min(cores, _quota(system) or cores)


def _quota(system: Path) -> int | None:
    try:
        quota, period = (system / QUOTA).read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        return None  # no Linux, or no limit: "max 100000"
