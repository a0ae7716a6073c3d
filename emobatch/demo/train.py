"""Train the demo's three checkpoints, measure them and write their card.

Run it as `python -m emobatch.demo.train`.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import click
import torch

from emobatch.demo import train_recogniser, train_sentiment, train_speech
from emobatch.demo.measure import DATA_SEEDS, figures_table, measure
from emobatch.demo.model_card import model_card, size_of
from emobatch.demo.recogniser_model import CHUNK_SECONDS
from emobatch.demo.sentences import vocabulary
from emobatch.models.checkpoints import DEMO_FOLDER

_READABLE: Final = 0o644


def _classifiers(folder: Path, seed: int) -> None:
    """Train the two classifiers."""
    _prepare_process()
    train_sentiment.train_sentiment(folder / "sentiment", seed, train_sentiment.Plan())
    train_speech.train_speech(folder / "speech", seed, train_speech.Plan())


def _recogniser(folder: Path, seed: int) -> None:
    """Train the recogniser, which takes about as long as the other two."""
    _prepare_process()
    train_recogniser.train_recogniser(folder / "asr", seed, train_recogniser.Plan())


def _prepare_process() -> None:
    """Set what is the same for all that is trained.

    One thread each, two processes: as fast as two threads on two cores, and sums are always taken
    in the same order, whatever the machine.
    """
    torch.set_num_threads(1)


def _train(folder: Path, seed: int) -> None:
    """Train the three checkpoints, in two processes."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=2, mp_context=fresh) as pool:
        jobs = [pool.submit(job, folder, seed) for job in (_recogniser, _classifiers)]
        for job in jobs:
            job.result()
    for path in folder.rglob("*.safetensors"):
        # The library leaves its weights readable by their owner alone, which no package should.
        path.chmod(_READABLE)


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEMO_FOLDER,
    show_default="the package's own",
    help="Where the checkpoints go.",
)
@click.option("--seed", default=1, show_default=True, help="Decides everything that is drawn.")
@click.option("--clips", default=600, show_default=True, help="Clips of each test data set.")
def main(folder: Path, seed: int, clips: int) -> None:
    """Train the demo's three checkpoints and print how well they do."""
    start = time.monotonic()
    _train(folder, seed)
    click.echo(f"trained in {time.monotonic() - start:.0f} s")
    figures = {data_seed: measure(folder, data_seed, clips) for data_seed in DATA_SEEDS}
    card = model_card(
        folder, figures, seed=seed, clips=clips, words=len(vocabulary()), seconds=CHUNK_SECONDS
    )
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    click.echo(figures_table(figures))
    click.echo(f"{size_of(folder) / 1e6:.1f} MB, {time.monotonic() - start:.0f} s in all")


if __name__ == "__main__":
    main()
