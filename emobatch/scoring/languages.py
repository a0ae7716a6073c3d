"""Which cleaning steps a run's languages go without: said once, and never by the row."""

from __future__ import annotations

import logging
from collections import Counter

import polars as pl

from emobatch.models.choice import Choice
from emobatch.models.steps import parse_steps
from emobatch.scorers.cleaning import unknowing

log = logging.getLogger(__name__)


def note_before(choice: Choice, manifest: pl.LazyFrame) -> None:
    """Note where a manifest says too little of languages, or more than counts.

    Args:
        choice: models and options.
        manifest: its rows.
    """
    if "text" in choice.sides_left_out:
        return
    names = manifest.collect_schema().names()
    given = pl.col("transcript").is_not_null() if "transcript" in names else pl.lit(False)
    named = pl.col("language").is_not_null() if "language" in names else pl.lit(False)
    silent, overruled = (
        manifest.select((given & ~named).sum(), overruled=(~given & named).sum())
        .collect(engine="streaming")
        .row(0)
    )
    if overruled:
        log.warning(
            "note: %d rows of the manifest name a language and have no transcript; what is said "
            "there is recognised by --language %s",
            overruled,
            choice.language,
        )
    if silent and choice.given_language is None:
        steps = unknowing(parse_steps(choice.clean), None)
        if steps:
            log.warning(
                "note: %d transcripts of the manifest are cleaned without %s, for nothing says "
                "their language; name it with --transcript-language",
                silent,
                " and ".join(steps),
            )


def note_after(choice: Choice, rows: Counter[str]) -> None:
    """Note which languages went without which cleaning steps.

    Args:
        choice: models and options.
        rows: how many transcripts were cleaned of each language.
    """
    without: dict[str, list[str]] = {}
    for code, count in sorted(rows.items()):
        for step in unknowing(parse_steps(choice.clean), code):
            without.setdefault(step, []).append(f"{code} in {count}")
    if without:
        log.warning(
            "note: transcripts are cleaned without the steps that don't know their language: %s",
            ", ".join(f"{step} ({', '.join(texts)} rows)" for step, texts in without.items()),
        )


def cleaned(rows: pl.LazyFrame) -> Counter[str]:
    """Count transcripts by language.

    Args:
        rows: of a score table.

    Returns:
        Rows whose text was cleaned, by the code of its language; those of an unknown one are left
        out.
    """
    texts = rows.filter(pl.col("cleaned_text").is_not_null(), pl.col("language").is_not_null())
    counted = texts.group_by("language").len().collect(engine="streaming")
    return Counter(dict(counted.rows()))
