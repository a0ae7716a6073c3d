"""The script of docs/judge.md on a real Slurm of one node: `python tests/endurance/judge_slurm.py`.

Needs what slurm.py needs. `vllm` is a stand-in on the path that takes the same words, and the line
of the GPU is left out. The job's time is up before all rows are asked about: it ends with 75, and
the same job handed in again asks about the others alone.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from chat_server import transcript
from judge import make
from slurm import Daemons, asked, free_ports, missing, started, wait_for

SECONDS_TO_AN_ANSWER = 4.0
CONCURRENCY = 32


class Handler(BaseHTTPRequestHandler):
    """Healthy, and slow."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with Path("asked").open("a") as file:
            file.write(transcript(body) + "\n")
        time.sleep(SECONDS_TO_AN_ANSWER)
        said = json.dumps({"emotion": "sad", "confidence": 90, "reason": ""})
        message = {"role": "assistant", "content": said}
        self.answer({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]})

    def answer(self, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


def documented(port: int) -> str:
    """The script, without a GPU and at a port that is free."""
    text = (Path(__file__).parents[2] / "docs/judge.md").read_text()
    (script,) = re.findall(r"```sh\n(#!/bin/bash\n.*?)```", text, re.DOTALL)
    return script.replace("--gpus=1 ", "").replace("8000", str(port))


def prepare(folder: Path, rows: int) -> None:
    """A final table, and `vllm`."""
    make(folder, rows)
    (folder / "bin").mkdir()
    vllm = folder / "bin/vllm"
    vllm.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" --serve $6\n')
    vllm.chmod(0o755)
    os.environ["PATH"] = os.pathsep.join(
        [str(vllm.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    )


class Job:
    """The script, handed in."""

    def __init__(self, folder: Path, daemons: Daemons) -> None:
        done = subprocess.run(
            ["sbatch", "--parsable", "job.sh"],
            **{"cwd": folder, "check": True, "capture_output": True, "text": True},
        )
        self.number = done.stdout.strip().partition(";")[0]
        self.folder, self.daemons = folder, daemons

    def said(self, what: str) -> str:
        found = re.search(rf"\b{what}=(\S+)", asked("scontrol", "-o", "show", "job", self.number))
        return found[1] if found else ""

    @property
    def log(self) -> str:
        file = self.folder / f"slurm-{self.number}.out"
        return file.read_text() if file.exists() else ""

    def ended(self) -> str:
        """Wait for it; its status."""
        over = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED")
        wait_for("the job's end", lambda: self.said("JobState") in over, self.daemons)
        return f"{self.said('JobState')} {self.said('ExitCode')}"


def lines(folder: Path) -> list[str]:
    file = folder / "asked"
    return file.read_text().splitlines() if file.exists() else []


@click.command()
@click.option("--rows", default=1500, show_default=True)
@click.option("--serve", type=int, hidden=True, help="Be the server, at this port.")
def main(rows: int, serve: int | None) -> None:
    """Print what happens, and end with status 1 where something doesn't."""
    if serve is not None:
        ThreadingHTTPServer(("127.0.0.1", serve), Handler).serve_forever()
    if absent := missing():
        raise SystemExit(f"not here: {', '.join(absent)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        prepare(folder, rows)
        with started(folder) as daemons:
            (folder / "job.sh").write_text(documented(free_ports(1)[0]))
            first = Job(folder, daemons)
            wait_for("a few questions", lambda: len(lines(folder)) > 3 * CONCURRENCY, daemons)
            # Less than the two minutes before the end in which it is to be warned.
            asked("scontrol", "update", f"JobId={first.number}", "TimeLimit=2")
            status, before = first.ended(), len(lines(folder))
            click.echo(f"first job: {status}, {before} asked\n{first.log}")
            if status != "FAILED 75:0" or before >= rows:
                raise SystemExit("not ended in time with 75")
            second = Job(folder, daemons)
            status = second.ended()
            click.echo(f"second job: {status}, {len(lines(folder)) - before} asked\n{second.log}")
        twice = len(lines(folder)) - rows
        whole = pl.read_parquet(folder / "judged.parquet")
    click.echo(f"{twice} questions were under way when time was up, and were asked again")
    if status != "COMPLETED 0:0" or twice > CONCURRENCY or set(whole["judge_status"]) != {"ok"}:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
