"""The documented script on a real Slurm of one node: `python tests/endurance/slurm.py`.

Needs Debian's slurm-wlm and munge, and root, which their daemons want. Starts a Slurm of its own in
a temporary folder, on ports of its own, and ends it. `emobatch plan --slurm` prints the script; it
runs as an array. One task's time is up, and it alone is to queue again; one is killed and handed in
again; of two that write one table the second is to try again. The merged
table has to equal an unsharded run's, byte for byte in every value.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from sounds import save, tone

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel")
LONGEST_WAIT = 900
Daemons = list[subprocess.Popen[bytes]]
CONFIG = """
ClusterName=emobatch
SlurmctldHost={host}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2
KillWait=5
MinJobAge=3600
JobRequeue=1
NodeName={host} CPUs=8 RealMemory=100000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverTimeLimit=0
"""


def missing() -> list[str]:
    """What isn't there of what Slurm needs; nothing where it can be started."""
    absent = [name for name in NEEDED if shutil.which(name) is None]
    return absent if os.geteuid() == 0 else [*absent, "root"]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(what: str, happened: Callable[[], object], daemons: Daemons) -> None:
    """Wait until something has happened; for as long as the daemons live."""
    until = time.monotonic() + LONGEST_WAIT
    while not happened():
        if dead := [each.args for each in daemons if each.poll() is not None]:
            raise SystemExit(f"ended while waiting for {what}: {dead}")
        if time.monotonic() > until:
            raise SystemExit(f"waited {LONGEST_WAIT} s for {what}")
        time.sleep(0.2)


@contextmanager
def started(folder: Path) -> Iterator[Daemons]:
    """Slurm with one node, this machine."""
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir(mode=0o700)
    (folder / "munge/key").write_bytes(os.urandom(1024))
    (folder / "munge/key").chmod(0o600)
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(host=host, folder=folder, ports=free_ports(2)))
    os.environ["SLURM_CONF"] = str(config)
    munge = ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket"]
    munge += [f"--{name}-file={folder}/munge/{name}" for name in ("key", "log", "pid", "seed")]
    daemons: Daemons = []
    try:
        for command in (
            munge,
            ["slurmctld", "-D", "-f", str(config)],
            ["slurmd", "-D", "-f", str(config), "-N", host],
        ):
            daemons.append(
                subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
            )
            if command[0] == "munged":
                wait_for("munged", (folder / "munge.socket").exists, daemons)
        wait_for("the node", lambda: "idle" in asked("sinfo", "-h", "-o", "%t"), daemons)
        yield daemons
    finally:
        asked("scancel", "--user=root")
        for _ in range(100):
            if all(each.poll() is None for each in daemons) and asked("squeue", "-h"):
                time.sleep(0.2)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in reversed(daemons):
            try:
                daemon.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)


def asked(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def tasks(job: str) -> dict[int, dict[str, str]]:
    """What Slurm says of each task of an array."""
    found = {}
    for record in asked("scontrol", "-o", "show", "job", job).splitlines():
        said = dict(each.partition("=")[::2] for each in record.split())
        for task in numbers(said.get("ArrayTaskId", "")):
            found[task] = said
    return found


def numbers(text: str) -> list[int]:
    """Tasks as Slurm names them: 3, 0-2, 1,3."""
    spans = re.findall(r"(\d+)(?:-(\d+))?", text.partition("%")[0])
    return [n for low, high in spans for n in range(int(low), int(high or low) + 1)]


def processes(shard: str, folder: Path) -> list[int]:
    """Those that score a shard."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            words = (each / "cmdline").read_bytes().decode().split("\0")
            if (
                "emobatch" in " ".join(words[:3])
                and shard in words
                and (each / "cwd").samefile(folder)
            ):
                found.append(int(each.name))
        except OSError:
            continue  # it has just ended
    return found


def make_manifest(folder: Path, rows: int) -> Path:
    """Clips of 20 lengths, with their durations."""
    lengths = [0.5 + number / 5 for number in range(20)]
    for number, length in enumerate(lengths):
        save(folder / f"{number}.wav", tone(length, hertz=150 + 20 * number))
    names = [f"{n % 20}.wav" for n in range(rows)]
    durations = [lengths[n % 20] for n in range(rows)]
    table = pl.DataFrame(
        {"path": names, "id": [str(n) for n in range(rows)], "duration": durations}
    )
    table.write_csv(folder / "manifest.csv")
    return folder / "manifest.csv"


def bits(table: Path) -> bytes:
    """All of a table, so that a difference in the last bit counts."""
    return pl.read_parquet(table).rechunk().write_ipc(None).getvalue()


def restarts(job: str) -> dict[int, int]:
    """How often each task of an array was started again."""
    return {task: int(said.get("Restarts", 0)) for task, said in tasks(job).items()}


class Run:
    """Arrays of jobs over one manifest."""

    def __init__(self, folder: Path, daemons: Daemons) -> None:
        self.folder = folder
        self.daemons = daemons

    def emobatch(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "emobatch", *arguments],
            **{"cwd": self.folder, "check": True, "text": True},
            **{"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL},
        )
        return done.stdout

    def submit(self, array: str) -> str:
        """Hand the script in as it was printed, but for the part of the array."""
        command = ["sbatch", "--parsable", f"--array={array}", "job.sh"]
        # Jobs get the environment of sbatch: as after `source bin/activate`.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command,
            **{"cwd": self.folder, "check": True, "text": True, "capture_output": True},
            env={**os.environ, "PATH": path},
        )
        return done.stdout.strip().partition(";")[0]

    def until(self, what: str, happened: Callable[[], object]) -> None:
        wait_for(what, happened, self.daemons)
        click.echo(f"{time.strftime('%H:%M:%S')}  {what}")

    def saved(self, shard: int) -> int:
        """Chunks that a shard has saved so far."""
        return len([*(self.folder / f"scores/{shard}.parquet.parts").rglob("[0-9]*.parquet")])

    def log(self, job: str, task: int) -> str:
        file = self.folder / f"slurm-{job}_{task}.out"
        return file.read_text() if file.exists() else ""

    def is_done(self, job: str, task: int) -> bool:
        state = tasks(job).get(task, {}).get("JobState")
        if state in ("FAILED", "TIMEOUT", "CANCELLED"):
            raise SystemExit(f"task {task} of job {job} is {state}:\n{self.log(job, task)}")
        return state == "COMPLETED"

    def shorten(self, job: str) -> None:
        """The last task, whose own id is the array's, is given less time than the others."""
        self.until("task 3 has begun", lambda: "of audio" in self.log(job, 3))
        # Less than the two minutes before the end in which it is to be warned.
        hours, minutes, _ = tasks(job)[3]["RunTime"].rpartition("-")[2].split(":")
        limit = 60 * int(hours) + int(minutes) + 2
        asked("scontrol", "update", f"JobId={job}_3", f"TimeLimit={limit}")

    def warned_alone(self, job: str) -> None:
        """That task's time is up: it alone queues again."""
        self.until(
            "task 3 is warned, and queues again",
            lambda: restarts(job).get(3) or self.is_done(job, 3),
        )
        asked("scontrol", "update", f"JobId={job}_3", "TimeLimit=60")
        if {task for task, count in restarts(job).items() if count} != {3}:
            raise SystemExit(f"not task 3 alone was started again: {restarts(job)}")
        if "SIGUSR1" not in self.log(job, 3):
            raise SystemExit(f"not warned: {self.log(job, 3)}")

    def killed(self, job: str) -> str:
        """A task is killed and handed in again; the job that goes on with it."""
        self.until("task 1 has saved a chunk", lambda: self.saved(1))
        for process in processes("1/4", self.folder):
            os.kill(process, signal.SIGKILL)
        self.until("task 1 is killed", lambda: tasks(job)[1]["JobState"] == "FAILED")
        return self.submit("1")

    def raced(self, other: str) -> None:
        """A second job of a shard that is being scored meets its lock, and tries again."""
        self.until(
            "a second job of shard 2 is told that another run is writing there, and queues again",
            lambda: restarts(other).get(2) and "another run is writing" in self.log(other, 2),
        )


@click.command()
@click.option("--rows", default=1536, show_default=True)
def main(rows: int) -> None:
    """Print what happens, and end with status 1 where something doesn't."""
    if absent := missing():
        raise SystemExit(f"not here: {', '.join(absent)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with started(folder) as daemons:
            run = Run(folder, daemons)
            make_manifest(folder, rows)
            run.emobatch("score", "manifest.csv", "--models=demo", "-o", "whole.parquet")
            job_file = run.emobatch(
                *("plan", "manifest.csv", "--models=demo", "--device=cpu", "--sample=0", "--slurm"),
                *("--shards=4", "--wall-time=1h"),
            )
            # Two tasks at a time on two cores.
            job_file = re.sub("--cpus-per-task=[0-9]+ --mem=[0-9]+M", "--cpus-per-task=1", job_file)
            (folder / "job.sh").write_text(job_file)
            job = run.submit("0-3%4")
            run.shorten(job)
            again = run.killed(job)
            other = run.submit("2")
            run.warned_alone(job)
            run.raced(other)
            for which, task in ((job, 0), (again, 1), (job, 2), (other, 2), (job, 3)):
                run.until(f"task {task} of job {which} is done", lambda: run.is_done(which, task))  # noqa: B023
            if "rows are saved in" not in run.log(again, 1):
                raise SystemExit(f"didn't go on from where it was: {run.log(again, 1)}")
            run.emobatch(
                "merge", *(f"scores/{n}.parquet" for n in range(4)), "-o", "merged.parquet"
            )
            if bits(folder / "merged.parquet") != bits(folder / "whole.parquet"):
                raise SystemExit("the merged table differs")
    click.echo("the merged table equals the unsharded one in every bit")


if __name__ == "__main__":
    main()
