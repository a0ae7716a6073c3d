"""The documented Slurm script on a real Slurm of one node, where its daemons are installed.

`tests/endurance/slurm.py` does more: time limits, kills, and two jobs of one shard.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "endurance"))

from slurm import Run, asked, bits, make_manifest, missing, restarts, started

SCRIPT = ("--models=demo", "--device=cpu", "--sample=0", "--slurm", "--shards=2", "--wall-time=1h")


@pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}")
def test_a_task_that_is_warned_queues_again_alone_and_the_merged_table_is_the_same() -> None:
    with tempfile.TemporaryDirectory() as name:  # a socket's path is short
        folder = Path(name)
        folder.chmod(0o755)
        with started(folder) as daemons:
            run = Run(folder, daemons)
            make_manifest(folder, 1024)
            script = run.emobatch("plan", "manifest.csv", *SCRIPT)
            script = re.sub("--cpus-per-task=[0-9]+ --mem=[0-9]+M", "--cpus-per-task=1", script)
            (folder / "job.sh").write_text(script)
            job = run.submit("0-1")
            # Its own id is that of the whole array, since it is the last.
            run.until("task 1 has saved a chunk", lambda: run.saved(1) or run.is_done(job, 1))
            asked("scancel", "--batch", "--signal=USR1", f"{job}_1")
            run.until("task 1 is through", lambda: restarts(job).get(1) or run.is_done(job, 1))
            run.emobatch("score", "manifest.csv", "--models=demo", "-o", "whole.parquet")
            for task in (0, 1):
                run.until(f"task {task} is done", lambda: run.is_done(job, task))  # noqa: B023
            assert restarts(job) == {0: 0, 1: 1}
            assert "SIGUSR1" in run.log(job, 1) and "rows are saved in" in run.log(job, 1)
            run.emobatch("merge", "scores/0.parquet", "scores/1.parquet", "-o", "merged.parquet")
            assert bits(folder / "merged.parquet") == bits(folder / "whole.parquet")
