"""How a clip was said, in words: relative to the speaker's own median where that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

SPEAKER = "speaker"
# A speaker's median of fewer clips says little.
LEAST_CLIPS = 5


@dataclass(frozen=True)
class Trait:
    """A column of prosody, and what its values are called.

    Attributes:
        column: of the table.
        name: what it measures.
        unit: of its values.
        decimals: that are told.
        scale: of a value that is far above a speaker's median ("much"), as a difference or as a
            ratio; a third of it is still said ("a little" below that isn't).
        ratio: whether values are compared as ratios.
        words: for less and for more than usual.
    """

    column: str
    name: str
    unit: str
    decimals: int
    scale: float
    ratio: bool
    words: tuple[str, str]


TRAITS = (
    Trait("loudness", "loudness", "dBFS", 0, 6.0, False, ("quieter", "louder")),
    Trait("loudness_range", "range of loudness", "dB", 0, 9.0, False, ("narrower", "wider")),
    Trait("pitch_median", "pitch", "Hz", 0, 1.3, True, ("lower", "higher")),
    Trait("pitch_range", "range of pitch", "semitones", 1, 6.0, False, ("narrower", "wider")),
    Trait("speaking_rate", "speaking rate", "words per second", 1, 1.5, True, ("slower", "faster")),
    Trait("pause_share", "share of pauses", "", 2, 0.3, False, ("less", "more")),
)
COLUMNS = tuple(trait.column for trait in TRAITS)


def medians(rows: pl.DataFrame) -> dict[str, dict[str, float]]:
    """The usual values of each speaker.

    Args:
        rows: of a table; those of all its speakers.

    Returns:
        Median by column, by speaker, of speakers with five clips or more; empty for a table
        without ``speaker`` or without prosody.
    """
    present = [name for name in COLUMNS if name in rows.columns]
    if SPEAKER not in rows.columns or not present:
        return {}
    found = (
        rows.filter(pl.col(SPEAKER).is_not_null())
        .group_by(pl.col(SPEAKER).cast(pl.String))
        .agg(pl.len().alias("\0clips"), pl.col(present).cast(pl.Float64).median())
        .filter(pl.col("\0clips") >= LEAST_CLIPS)
    )
    return {
        row[SPEAKER]: {name: row[name] for name in present if row[name] is not None}
        for row in found.iter_rows(named=True)
    }


def describe(row: Mapping[str, object], usual: Mapping[str, float]) -> str | None:
    """Say how a clip was said.

    Args:
        row: with columns of prosody.
        usual: medians of its speaker, empty where unknown.

    Returns:
        A line, None where nothing is measured.

    Examples:
        >>> row = {"loudness": -14.0, "pitch_median": 240.0}
        >>> describe(row, {"loudness": -21.0, "pitch_median": 200.0})
        "loudness -14 dBFS, much louder than this speaker's usual; pitch 240 Hz, higher than usual"
    """
    said: list[str] = []
    named = False
    for trait in TRAITS:
        value = row.get(trait.column)
        if not isinstance(value, int | float):
            continue
        text = f"{trait.name} {value:.{trait.decimals}f}{f' {trait.unit}' if trait.unit else ''}"
        if trait.column in usual:
            words = _compared(trait, float(value), usual[trait.column])
            than = "usual" if named else "this speaker's usual"
            text += f", {words} than {than}" if words else f", as {than}"
            named = True
        said.append(text)
    return "; ".join(said) or None


def _compared(trait: Trait, value: float, usual: float) -> str:
    if trait.ratio:
        if min(value, usual) <= 0:
            return ""
        share = max(value / usual, usual / value) - 1
        far = share / (trait.scale - 1)
    else:
        far = abs(value - usual) / trait.scale
    if far < 1 / 3:
        return ""
    word = trait.words[value > usual]
    return f"much {word}" if far >= 1 else word
