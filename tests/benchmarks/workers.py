"""One process that scores against several: `python tests/benchmarks/workers.py [--real]`.

The same manifest is scored by `--workers` 1 (threads of one process), 2 and 4, with the demo's toys
or with the shapes of real models: wav2vec2-base, whisper-small in int8 (24 new tokens at most) and
XLM-RoBERTa-base, of random weights. All tables must be equal in every bit. Shown are the seconds
until models are loaded, those of scoring, and the memory that the processes take beside the first:
RSS, what each has mapped, and PSS, in which a page that several share counts once.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import click
import polars as pl
import soundfile
from architectures import (
    MOST_NEW_TOKENS,
    PROMPT_TOKENS,
    save_wav2vec2_base,
    save_whisper_small,
    save_xlm_roberta_base,
)
from clips import spoken_clips
from rich.console import Console
from rich.table import Table

from emobatch.manifests import manifest
from emobatch.manifests.decoders import Decoders
from emobatch.models import devices, whisper
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring.progress import Silent
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.runners import processes, worker
from emobatch.scoring.runners.local import LocalRunner
from emobatch.scoring.runners.runner import Workers
from emobatch.scoring.work import Work


def serve(line: Connection) -> None:
    """A worker whose transcripts end: random weights have no reason to stop."""
    whisper.MOST_TOKENS = PROMPT_TOKENS + MOST_NEW_TOKENS
    worker.serve(line)


class Begun(Silent):
    """Notes when models are loaded."""

    seconds = 0.0

    def begin(self) -> None:
        self.seconds = time.perf_counter()


class Memory(threading.Thread):
    """The most that processes started by this one take: `RSS` of the largest, `PSS` of all."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.largest, self.all = 0, 0

    def run(self) -> None:
        while not self.done.wait(0.5):
            sizes = [taken(process) for process in descendants(os.getpid())]
            self.largest = max([self.largest, *(rss for rss, _ in sizes)])
            self.all = max(self.all, sum(pss for _, pss in sizes))


def descendants(process: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = [process]
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    return family[1:]


def cpu_seconds() -> float:
    """Of this process and those it has started that are gone."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def taken(process: int) -> tuple[int, int]:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines}
    return sizes["Rss"], sizes["Pss"]


@click.command()
@click.option("--clips", default=768, show_default=True)
@click.option("--real", is_flag=True, help="Shapes of real models in place of the toys.")
@click.option("--counts", default="1,2,4", show_default=True, help="Processes.")
def main(clips: int, real: bool, counts: str) -> None:
    """Print what one process takes, and several."""
    sys.path.insert(0, str(Path(__file__).parent))
    processes.ENTRY = "workers:serve"
    whisper.MOST_TOKENS = PROMPT_TOKENS + MOST_NEW_TOKENS
    table = Table("processes", "equal", "loading", "scoring", "rows per second", "CPU in all")
    for column in ("largest RSS", "PSS of all"):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        heard = spoken_clips(min(clips, 64))
        for number, samples in enumerate(heard):
            soundfile.write(folder / f"{number}.wav", samples, 16_000)
        rows = {"path": [f"{n % len(heard)}.wav" for n in range(clips)]}
        rows["id"] = [str(number) for number in range(clips)]
        pl.DataFrame(rows).write_csv(folder / "manifest.csv")
        choice = Choice(models="demo", device="cpu")
        if real:
            choice = Choice(
                speech_model=str(save_wav2vec2_base(folder / "speech")),
                asr_model=str(save_whisper_small(folder / "asr")),
                text_model=str(save_xlm_roberta_base(folder / "text")),
                device="cpu", precision="int8",
            )  # fmt: skip
        read = manifest.read(str(folder / "manifest.csv"))
        plan = Plan.of(choice, choice.find_checkpoints())
        recipe = Recipe(plan, devices.choose("cpu", choice.precision), None, read.root)
        first: pl.DataFrame | None = None
        for count in map(int, counts.split(",")):
            memory, begun = Memory(), Begun()
            memory.start()
            began = time.perf_counter()
            work = Work(read, recipe, begun, Decoders(devices.available_cores()))
            runner = LocalRunner.of(Workers(workers=count), "local")
            spent = cpu_seconds()
            scored = pl.concat(chunk.frame for chunk in runner.run(work, work.firsts))
            ended = time.perf_counter()
            memory.done.set()
            first = scored if first is None else first
            table.add_row(
                str(count),
                str(scored.equals(first)),
                f"{begun.seconds - began:.1f} s",
                f"{ended - begun.seconds:.1f} s",
                f"{clips / (ended - begun.seconds):.1f}",
                f"{cpu_seconds() - spent:.1f} s",
                f"{memory.largest / 2**20:.0f} MiB",
                f"{memory.all / 2**20:.0f} MiB",
            )
            table.title = f"{clips} rows on {devices.available_cores()} cores"
            Console(width=120).print(table)


if __name__ == "__main__":
    main()
