"""What `plan` says a manifest would take, against what it takes: `python tests/benchmarks/plan.py`.

Three manifests, scored by the demo's models: short clips; clips of mixed lengths, of which a third
have a transcript; and files of minutes among clips. Of each `plan` scores its sample, and `score`
then all of it, without and with a gate. Scoring alone is timed, as `plan` does: models are loaded
before.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from clips import spoken_clips
from samples import LOOSE_TOML
from sounds import save

from emobatch.fusion.gate import read_gate
from emobatch.models.choice import Choice
from emobatch.models.names import DEMO
from emobatch.planning.plan import plan
from emobatch.planning.sample import Timer
from emobatch.scoring.score import score

# Least and most seconds of a clip, and how many clips to a second of all, by the manifest.
MANIFESTS = {
    "short": ((0.5, 2.0), 1.0, 0.0),
    "mixed": ((0.3, 30.0), 0.5, 1 / 3),
    "long among short": ((1.0, 5.0), 0.5, 0.0),
}
LONG_FILES, LONG_SECONDS = 6, 150.0
WITHIN = 0.3


def make(folder: Path, name: str, rows: int) -> Path:
    """A manifest of 50 files, or segments of them, drawn at random."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    (low, high), share, given = MANIFESTS[name]
    speech = np.concatenate(spoken_clips(50))
    lengths = np.exp(rng.uniform(np.log(low), np.log(high), 50))
    if name.startswith("long"):
        lengths[:LONG_FILES] = LONG_SECONDS
    for number, seconds in enumerate(lengths):
        save(
            folder / f"{number}.wav",
            np.resize(np.roll(speech, -number * 9000), round(seconds * 16_000)),
        )
    count = round(rows * share)
    # Long files are rare.
    rare = np.where(lengths == LONG_SECONDS, 0.1, 1.0)
    drawn = rng.choice(50, count, p=rare / rare.sum())
    said = ["what a wonderful surprise" if each < given else None for each in rng.random(count)]
    table = pl.DataFrame(
        {"path": [f"{n}.wav" for n in drawn], "transcript": pl.Series(said, dtype=pl.String)}
    )
    table.with_columns(id=pl.int_range(pl.len()).cast(pl.String)).write_csv(folder / "manifest.csv")
    return folder / "manifest.csv"


def taken(source: Path, choice: Choice, gate: Path | None) -> float:
    """Seconds that scoring takes."""
    timer = Timer()
    score(
        *(str(source), source.with_name("scores.parquet"), choice),
        gate=None if gate is None else read_gate(gate),
        restart=True,
        progress=timer,
    )
    return timer.spent.scoring


@click.command()
@click.option("--rows", default=4000, show_default=True, help="Of the manifest of short clips.")
@click.option("--sample", type=int, help="Rows; by default as many as `plan` likes.")
def main(rows: int, sample: int | None) -> None:
    """Print estimates beside the truth; status 1 where one is off by more than 30 %."""
    logging.getLogger("emobatch").addHandler(logging.NullHandler())
    choice = replace(Choice(models=DEMO), device="cpu")
    table = Table("manifest", "rows", "audio", "run", "plan says", "it takes", "off by")
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        gate = Path(name) / "gate.toml"
        gate.write_text(LOOSE_TOML)
        for kind in MANIFESTS:
            source = make(Path(name) / kind.replace(" ", "-"), kind, rows)
            planned = plan(str(source), choice, gate=read_gate(gate), sample_rows=sample)
            if planned.estimate is None or planned.estimate.gated is None:
                raise SystemExit("no estimate")
            says = {"all": planned.estimate.ungated, "--gate": planned.estimate.gated}
            for run, seconds in says.items():
                truth = taken(source, choice, gate if run == "--gate" else None)
                off = seconds / truth - 1
                worst = max(worst, abs(off))
                audio = f"{planned.lengths.seconds.sum() / 60:.0f} min"
                figures = (f"{seconds:.0f} s", f"{truth:.0f} s", f"{100 * off:+.0f} %")
                table.add_row(kind, str(planned.rows), audio, run, *figures)
    Console(width=110).print(table)
    if worst > WITHIN:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
