"""What `emobatch demo` shows: the main job on speech of its own, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from emobatch.demo import corpus
from emobatch.errors import ResumeError
from emobatch.tables.reading import explained, scan
from emobatch.tables.writing import write_text

MANIFEST = "manifest.csv"
# Rows whose label the manifest leaves out, to be found: one in three.
UNLABELLED = 3


@dataclass(frozen=True)
class Step:
    """A command of the walkthrough.

    Attributes:
        arguments: as typed after `emobatch`.
        needs: file that it reads.
        makes: file that it writes, None where it prints.
    """

    arguments: tuple[str, ...]
    needs: Path
    makes: Path | None

    @property
    def is_done(self) -> bool:
        """Whether what it makes is there and younger than what it is made from."""
        made, source = self.makes, self.needs
        return made is not None and made.exists() and made.stat().st_mtime >= source.stat().st_mtime


def prepare(folder: Path, clips: int, seed: int) -> Path:
    """Speak the clips and write their manifest, unless they are there.

    Args:
        folder: where they go; made if missing.
        clips: how many.
        seed: decides all of them.

    Returns:
        The manifest: ``path``, ``label`` (empty in every third row), ``truth`` (the emotion meant,
        in all rows), ``speaker`` and ``reference`` (what is said).

    Raises:
        ResumeError: if the manifest that is there is of other clips.
    """
    manifest = folder / MANIFEST
    rows = corpus.make_demo_rows(seed, clips)
    if manifest.exists():
        _refuse_others(manifest, rows, f"--clips {clips} --seed {seed}")
        return manifest
    with explained(str(folder)):
        files = corpus.write_clips(rows, folder / "audio")
    labelled = [number % UNLABELLED != 0 for number in range(clips)]
    table = pl.DataFrame(
        {
            "path": [str(file.relative_to(folder)) for file in files],
            "label": [
                row.label if known else None for row, known in zip(rows, labelled, strict=True)
            ],
            "truth": [row.label for row in rows],
            "speaker": [row.speaker for row in rows],
            "reference": [row.text for row in rows],
        }
    )
    # Last, and at once: a manifest that is there has all of its clips.
    write_text(manifest, table.write_csv())
    return manifest


def _refuse_others(manifest: Path, rows: Sequence[corpus.Row], options: str) -> None:
    # What a user may have changed, as labels, doesn't matter.
    said = pl.Series([row.text for row in rows])
    with explained(str(manifest)):
        there = scan(str(manifest)).collect()
    if "reference" not in there.columns or not there["reference"].equals(said):
        raise ResumeError(
            f"{manifest}: is there, of other clips than {options} gives; give the options that it "
            "was made with, or name another folder"
        )


def steps(folder: Path) -> list[Step]:
    """List the commands that take the manifest to figures.

    Args:
        folder: holds the manifest.

    Returns:
        The commands in order.
    """
    manifest, scores = folder / MANIFEST, folder / "scores.parquet"
    thresholds, final = folder / "thresholds.toml", folder / "final.csv"
    report = folder / "report.html"
    score = ("score", str(manifest), "--models", "demo", "-o", str(scores))
    apply = ("apply", str(scores), "-t", str(thresholds), "-o", str(final))
    held_out = ("--label-column", "truth", "--where", "label IS NULL")
    return [
        Step(score, manifest, scores),
        Step(("calibrate", str(scores), "-o", str(thresholds)), scores, thresholds),
        Step(apply, thresholds, final),
        Step(("evaluate", str(final), *held_out), final, None),
        Step(
            ("report", str(final), "-t", str(thresholds), *held_out, "-o", str(report)),
            final,
            report,
        ),
    ]


def changed_rows(folder: Path, count: int) -> pl.DataFrame:
    """Pick unlabelled rows in which the text branch changed the answer.

    Args:
        folder: where the walkthrough ran.
        count: how many rows at most, half of them changed for the better where there are some.

    Returns:
        Rows with ``transcript``, ``truth``, ``speech_emotion``, ``sentiment`` and ``emotion``.
    """
    final = scan(str(folder / "final.csv")).collect()
    changed = final.filter(
        pl.col("label").is_null() & (pl.col("emotion") != pl.col("speech_emotion"))
    )
    better = changed.filter(pl.col("emotion") == pl.col("truth"))
    other = changed.filter(pl.col("emotion") != pl.col("truth"))
    picked = pl.concat([better.head(count - min(count // 2, len(other))), other.head(count // 2)])
    return picked.select("transcript", "truth", "speech_emotion", "sentiment", "emotion")
