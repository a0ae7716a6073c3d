"""What scoring a row costs: the padded seconds of audio that both branches are given for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.manifests.audio import WINDOW_SECONDS
from emobatch.manifests.manifest import Manifest
from emobatch.wording import counted

log = logging.getLogger(__name__)

# Seconds that a context is rounded up to where it fits the clip.
FITTING_SECONDS = 5
# Cost is counted in whole milliseconds: sums of these are the same in any order, so that every job
# of an array cuts a manifest alike.
PER_SECOND = 1000
# Duration of rows where nobody knows one: they all cost the same.
ANY_SECONDS = 1.0
MEASURE = "`emobatch plan MANIFEST -o FILE` writes a manifest with durations"


@dataclass(frozen=True)
class Costs:
    """Which branches a run has, and so what a second of audio costs it.

    Attributes:
        speech: whether the speech branch is run: it is given a clip as it is.
        text: whether clips are transcribed: Whisper is given windows of 30 s, padded.
        fits: whether Whisper's last window is as long as the clip needs, rounded up to 5 s.
    """

    speech: bool = True
    text: bool = True
    fits: bool = False

    def rows(self, manifest: Manifest) -> pl.LazyFrame:
        """Say what each row costs.

        Args:
            manifest: any; a row is as long as its column ``duration`` says, or from ``start`` to
                ``end``.

        Returns:
            ``speech`` and ``text``, one row for each: milliseconds of audio, padded. Rows of
            unknown length are taken to be as long as the others are on average.
        """
        known = seconds(manifest.rows).alias("seconds")
        # With a column of its own, so that a length that is the same for all is one for each.
        rows = manifest.rows.select("path", known, transcribed=_transcribed(manifest.rows))
        length = pl.col("seconds").fill_null(self._usual(manifest))
        whole = (length / WINDOW_SECONDS).floor() * WINDOW_SECONDS
        step = FITTING_SECONDS if self.fits else WINDOW_SECONDS
        rest = ((length - whole) / step).ceil() * step
        heard, said = length * self.speech, (whole + rest) * pl.col("transcribed") * self.text
        return rows.select(
            speech=(heard * PER_SECOND).round().cast(pl.Int64),
            text=(said * PER_SECOND).round().cast(pl.Int64),
        )

    def chunks(self, manifest: Manifest, chunk_rows: int) -> NDArray[np.int64]:
        """Say what each chunk costs.

        Args:
            manifest: any.
            chunk_rows: rows to a chunk.

        Returns:
            (chunks,) milliseconds of both branches.
        """
        chunk = (pl.col("row") // chunk_rows).alias("chunk")
        cost = pl.sum_horizontal("speech", "text").alias("cost")
        rows = self.rows(manifest).with_row_index("row").select(chunk, cost)
        summed = rows.group_by("chunk").agg(pl.sum("cost")).sort("chunk")
        return summed.collect(engine="streaming")["cost"].to_numpy()

    def _usual(self, manifest: Manifest) -> float:
        count, total = _known(manifest)
        return float(total // count / PER_SECOND) if count else ANY_SECONDS


def note_unknown(manifest: Manifest) -> None:
    """Note where a manifest says too little for shards to be of like cost.

    Args:
        manifest: whole.
    """
    count, _ = _known(manifest)
    if not count:
        log.info("note: no row says how long it is, so that each counts as any other; %s", MEASURE)
    elif count < len(manifest):
        missing = f"{counted(len(manifest) - count, 'row')} of {len(manifest)}"
        log.info("note: %s without a duration, each as long as others; %s", missing, MEASURE)


def _known(manifest: Manifest) -> tuple[int, int]:
    # Rows whose length is known, and milliseconds of them all.
    known = (seconds(manifest.rows) * PER_SECOND).round().cast(pl.Int64)
    told = manifest.rows.select(count=known.count(), sum=known.sum())
    count, total = told.collect(engine="streaming").row(0)
    return count, total


def seconds(rows: pl.LazyFrame) -> pl.Expr:
    """Say how long each row of a manifest is, as far as the manifest knows.

    Args:
        rows: of a manifest.

    Returns:
        Seconds, null where nothing is said that can be.
    """
    schema = rows.collect_schema()
    lengths = []
    if "end" in schema:
        start = pl.col("start").fill_null(0.0) if "start" in schema else pl.lit(0.0)
        lengths.append(pl.col("end") - start)
    if "duration" in schema:
        given = pl.col("duration").cast(pl.Float64, strict=False)
        lengths.append(pl.when(given.is_finite() & (given > 0)).then(given))
    return pl.coalesce(lengths) if lengths else pl.lit(None, pl.Float64)


def _transcribed(rows: pl.LazyFrame) -> pl.Expr:
    if "transcript" not in rows.collect_schema():
        return pl.lit(True)
    return pl.col("transcript").is_null()
