"""How well the demo's checkpoints do on clips of the test part: `python -m emobatch.demo.measure`.

The clips go through the very functions that the commands call.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import polars as pl

from emobatch.demo.corpus import make_demo_rows
from emobatch.demo.walkthrough import prepare
from emobatch.evaluation.metrics import metrics
from emobatch.evaluation.word_error_rate import word_error_rate
from emobatch.fusion.apply import apply
from emobatch.fusion.calibrate import calibrate
from emobatch.fusion.selection.algorithm import map_answer
from emobatch.fusion.selection.rules import SentimentMapping
from emobatch.models.checkpoints import DEMO_FOLDER, Checkpoint
from emobatch.models.choice import Choice
from emobatch.models.devices import choose
from emobatch.models.outputs import Outputs
from emobatch.models.text_classifier import TextClassifier
from emobatch.scorers.cleaning import clean
from emobatch.scoring.score import score
from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import SENTIMENTS

DATA_SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Figures:
    """What the checkpoints do on one data set, in percent.

    Attributes:
        word_errors: word error rate of the recogniser over all clips.
        sentiment: accuracy of the sentiment classifier on the true words of all clips.
        speech: UA of the speech branch alone on the unlabelled third.
        text: UA of the text branch alone there.
        fused: UA after fusion there, with thresholds from the labelled two thirds.
        flagged: share of rows flagged there.
    """

    word_errors: float
    sentiment: float
    speech: float
    text: float
    fused: float
    flagged: float


def measure(folder: Path, seed: int, clips: int) -> Figures:
    """Measure checkpoints on a data set of the test part.

    Args:
        folder: holds the checkpoints ``speech``, ``asr`` and ``sentiment``.
        seed: the data set's.
        clips: how many; two thirds are labelled and fitted on, the rest is evaluated.

    Returns:
        The figures.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        manifest = prepare(work, clips, seed)
        scores, thresholds, final = work / "s.parquet", work / "t.toml", work / "f.parquet"
        choice = Choice(
            speech_model=str(folder / "speech"),
            asr_model=str(folder / "asr"),
            text_model=str(folder / "sentiment"),
        )
        score(str(manifest), scores, choice)
        calibrate([str(scores)], thresholds)
        apply([str(scores)], thresholds, final)
        rows = pl.read_parquet(final)
    text_alone = pl.coalesce(map_answer(SentimentMapping(), FOUR), pl.col("speech_emotion"))
    held_out = rows.with_columns(text_alone=text_alone).filter(pl.col("label").is_null())
    by_stage = {
        stage: metrics(held_out["truth"], held_out[stage], FOUR.classes)["UA"]
        for stage in ("speech_emotion", "text_alone", "emotion")
    }
    return Figures(
        word_errors=word_error_rate(rows["reference"], rows["transcript"]) or 0.0,
        sentiment=_sentiment_accuracy(folder, seed, clips),
        speech=by_stage["speech_emotion"],
        text=by_stage["text_alone"],
        fused=by_stage["emotion"],
        flagged=100 * len(held_out.filter("flagged")) / len(held_out),
    )


def figures_table(figures: Mapping[int, Figures]) -> str:
    """Lay out figures as a Markdown table.

    Args:
        figures: by data seed.

    Returns:
        One row for each data seed, in percent.
    """
    names = ("data seed", "word error rate", "sentiment accuracy", "speech UA", "text UA")
    rows: list[tuple[str, ...]] = [(*names, "UA after fusion", "flagged"), ("---",) * 7]
    for seed, found in figures.items():
        shares = (found.word_errors, found.sentiment, found.speech, found.text, found.fused)
        rows.append((str(seed), *(f"{share:.1f} %" for share in (*shares, found.flagged))))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _sentiment_accuracy(folder: Path, seed: int, clips: int) -> float:
    rows = make_demo_rows(seed, clips)
    checkpoint = Checkpoint("demo", folder / "sentiment", None, "--text-model")
    outputs = Outputs(range(len(SENTIMENTS)), len(SENTIMENTS))
    classifier = TextClassifier(checkpoint, choose("cpu"), outputs)
    best = classifier.scores([clean(row.text) for row in rows]).argmax(axis=1)
    right = [SENTIMENTS[place] == row.sentiment for place, row in zip(best, rows, strict=True)]
    return 100 * sum(right) / len(right)


@click.command()
@click.option("--clips", default=600, show_default=True, help="Clips of each data set.")
def main(clips: int) -> None:
    """Measure the demo's checkpoints on three data sets of the test part."""
    click.echo(figures_table({seed: measure(DEMO_FOLDER, seed, clips) for seed in DATA_SEEDS}))


if __name__ == "__main__":
    main()
