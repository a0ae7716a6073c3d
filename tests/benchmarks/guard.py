"""What centring costs speakers of few rows or classes, and context in shuffled dialogues.

`python tests/benchmarks/guard.py 'fold_*.parquet'`: score tables with `label`, `speaker`, `split`
and ids like IEMOCAP's. Each is fitted on the rows that don't test. Speakers are drawn from those
that do: so many rows, of so many classes, all sets of these in turn. Shown is the difference in UA
to `--centre none`, mean over such speakers with the 95 % interval of that mean; and the share in
which the guard fires. With `--shuffles N` dialogues are shuffled instead, N times.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import click
import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.fusion.context.chains import Chains, chains
from emobatch.fusion.context.smoothing import chance_of_labels, likeliest_chance, smoothed
from emobatch.fusion.logistic.centring import Speakers
from emobatch.fusion.logistic.fitting import fit
from emobatch.fusion.logistic.model import UNCENTRED, Model
from emobatch.fusion.logistic.regression import softmax
from emobatch.fusion.logistic.sample import Sample
from emobatch.tables.reading import expand
from emobatch.tasks.four import FOUR

CLASSES = len(FOUR.classes)
Rows = NDArray[np.intp]


def sample_of(rows: pl.DataFrame) -> Sample:
    return Sample.of(rows, FOUR, ["train"], centred=True)


def drawn(labels: Rows, rows: int, classes: int, draws: int, seed: int) -> list[Rows]:
    """Row numbers of each speaker that is drawn."""
    rng = np.random.default_rng([seed, rows, classes])
    sets = list(combinations(range(CLASSES), classes))
    found: list[Rows] = []
    while len(found) < draws:
        pool = np.flatnonzero(np.isin(labels, sets[len(found) % len(sets)]))
        mine = rng.choice(pool, min(rows, len(pool)), replace=False)
        if len(np.unique(labels[mine])) == classes:
            found.append(mine)
    return found


def recalls(right: NDArray[np.bool_], labels: Rows, speaker: Rows) -> NDArray[np.float64]:
    """UA of each speaker over the classes that it has, in percent."""
    total, hits = (np.zeros((speaker.max() + 1, CLASSES)) for _ in range(2))
    np.add.at(total, (speaker, labels), 1)
    np.add.at(hits, (speaker, labels), right)
    return 100 * np.nanmean(np.where(total > 0, hits / np.maximum(total, 1), np.nan), axis=1)


def costs_of_centring(name: str, number: int, model: Model, test: Sample, draws: int) -> None:
    for rows in (5, 20, 100):
        for classes in range(1, CLASSES + 1):
            count = draws if rows < 100 else draws // 5
            picks = drawn(test.labels, rows, classes, count, number)
            speaker = np.repeat(np.arange(len(picks)), [len(each) for each in picks])
            mine = np.concatenate(picks)
            heard, said, labels = test.heard[mine], test.said[mine], test.labels[mine]
            logits, few = model.logits(heard, said, Speakers.of(speaker))
            plain = model.pairs[UNCENTRED].logits(heard, said)
            one, other = (
                recalls(each.argmax(axis=1) == labels, labels, speaker) for each in (logits, plain)
            )
            gain = one - other
            half = 1.96 * gain.std() / np.sqrt(len(gain))
            click.echo(
                f"{name}: {rows} rows of {classes} classes: {gain.mean():+.2f} ({half:.2f}), "
                f"guard in {100 * few.mean():.0f} %"
            )


def shuffled(chain: Chains, speaker: NDArray[np.str_], rng: np.random.Generator) -> Chains:
    """The same chains with rows of each speaker in each other's places."""
    order = chain.order.copy()
    for name in np.unique(speaker):
        places = np.flatnonzero(speaker[order] == name)
        order[places] = rng.permutation(order[places])
    return Chains(order, chain.starts, chain.lengths)


def costs_of_context(
    name: str, number: int, rows: pl.DataFrame, model: Model, fitted: Sample, shuffles: int
) -> None:
    tests = rows.filter(split="test")
    test = sample_of(tests)
    logits, _ = model.logits(test.heard, test.said, test.speakers)
    posteriors, one = softmax(logits), np.zeros(len(tests), int)
    plain = recalls(posteriors.argmax(axis=1) == test.labels, test.labels, one)[0]
    everyone, asked = (each["speaker"].to_numpy().astype(str) for each in (rows, tests))
    all_chains, test_chains = chains(rows), chains(tests)
    for also_fitted in (True, False):
        rng, found = np.random.default_rng(number), []
        for _ in range(shuffles):
            chain = shuffled(test_chains, asked, rng)
            whole = shuffled(all_chains, everyone, rng) if also_fitted else all_chains
            said = chance_of_labels(fitted.labels, whole, CLASSES)
            now = smoothed(posteriors, chain, min(said, likeliest_chance(posteriors, chain)))
            found.append(recalls(now.argmax(axis=1) == test.labels, test.labels, one)[0] - plain)
        kind = "all rows" if also_fitted else "rows that test"
        harmed = sum(each < -1 for each in found)
        click.echo(
            f"{name}: {kind} shuffled: {np.mean(found):+.2f}, worst {min(found):+.2f}; "
            f"{harmed} of {shuffles} lose more than 1"
        )


@click.command(help=__doc__)
@click.argument("tables", nargs=-1, required=True, type=str)
@click.option("--draws", default=4000, show_default=True, help="Speakers drawn for each cell.")
@click.option("--shuffles", default=0, help="Shuffle dialogues so many times instead.")
def main(tables: tuple[str, ...], draws: int, shuffles: int) -> None:
    files = [Path(file) for file in expand(tables)]
    for number, file in enumerate(files, 1):
        rows = pl.read_parquet(file)
        known = pl.when(pl.col("split") != "test").then("label")
        fitted = sample_of(rows.with_columns(label=known))
        model = fit(fitted, 1.0)
        if shuffles:
            costs_of_context(file.stem, number, rows, model, fitted, shuffles)
        else:
            test = sample_of(rows.filter(split="test"))
            costs_of_centring(file.stem, number, model, test, draws)


if __name__ == "__main__":
    main()
