"""Kills a running `judge` again and again: `python tests/endurance/judge.py`.

A table is judged undisturbed, then by a run that is struck with SIGKILL at random instants and
begun again until it is done. No question may be asked again whose answer had been kept, and the
table has to equal the undisturbed one in every value.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from chat_server import Said, chat, transcript


def make(folder: Path, rows: int) -> Path:
    number = pl.int_range(rows)
    classes = {f"speech_{name}": pl.lit(0.25) for name in ("angry", "happy", "neutral", "sad")}
    said = pl.format("line {}", number)
    columns = {"id": said, "transcript": said, **classes, "emotion": pl.lit("happy")}
    pl.select(**columns).write_parquet(folder / "final.parquet")
    return folder / "final.parquet"


def kept(target: Path) -> int:
    """Answers that are kept: whole lines."""
    file = target.with_name(target.name + ".parts") / "answers.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0


@click.command()
@click.option("--kills", default=10, show_default=True)
@click.option("--rows", default=600, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, rows: int, seed: int) -> None:
    """Print what became of each run, and end with 1 where something was asked for twice."""
    rng = random.Random(seed)

    def say(body: dict[str, Any], number: int) -> Said:
        line = int(transcript(body).split()[1])
        said = {"emotion": ("sad", "angry")[line % 2], "confidence": 70 + line % 30, "reason": ""}
        return Said(json.dumps(said), after=0.02)

    with tempfile.TemporaryDirectory() as name, chat(say) as server:
        source = make(Path(name), rows)
        whole, target = source.with_name("whole.parquet"), source.with_name("struck.parquet")
        command = [sys.executable, "-m", "emobatch", "judge", str(source), "--model", "toy"]
        command += ["--endpoint", server.address, "--concurrency", "4", "-q"]
        subprocess.run([*command, "-o", str(whole)], check=True)
        server.requests.clear()
        twice = 0
        for kill in range(kills + 1):
            stored, asked = kept(target), len(server.requests)
            with subprocess.Popen([*command, "-o", str(target)]) as run:
                if kill < kills:
                    # Wherever the machine is in its work: so many requests later.
                    wanted = asked + rng.randrange(rows // (kills + 2))
                    while run.poll() is None and len(server.requests) <= wanted:
                        signal.sigtimedwait([], 0.001)
                    run.send_signal(signal.SIGKILL)
            status = run.returncode
            lines = [transcript(body) for body in server.requests[asked:]]
            print(f"run {kill}: ended with {status}, {len(lines)} asked, {kept(target)} kept")
            twice += len(lines) - len(set(lines))
            if stored + len(lines) < kept(target):
                raise SystemExit("answers from nowhere")
        # In flight when it was struck: these were asked again, for they were not kept.
        again = len(server.requests) - rows
        print(f"{again} questions were under way in {kills} kills (4 at a time, at most)")
        same = pl.read_parquet(whole).equals(pl.read_parquet(target))
        print(f"tables equal: {same}; asked twice in one run: {twice}")
        raise SystemExit(not same or twice or again > 4 * kills or status)


if __name__ == "__main__":
    main()
