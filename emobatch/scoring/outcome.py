"""What came of a run, and what to do next, in one line."""

from __future__ import annotations

import logging
import shlex
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from emobatch.errors import TooManyErrors
from emobatch.manifests.manifest import Manifest
from emobatch.scoring import languages
from emobatch.scoring.gate import Gate
from emobatch.scoring.utterances import AUDIO_STAGE
from emobatch.tables import reading
from emobatch.tasks.labels_read import LABEL
from emobatch.wording import counted

log = logging.getLogger(__name__)

# Causes that are named; the rest of them are counted together.
MOST_CAUSES = 3
# Seconds by which a file may end before its segment does, as rounded times and codecs have it.
ROUNDING = 0.5
CUT_SHORT = (
    "warning: %s, by `end`, of which more than %g s isn't in the file: what there is was scored, "
    "`duration` says how much; look whether times are in seconds, and of these recordings"
)


def causes(rows: pl.LazyFrame) -> Counter[str]:
    """Count why rows failed.

    Args:
        rows: of a score table, with ``path``, ``status`` and ``error``.

    Returns:
        Rows by stage and cause. Files aren't part of a cause, nor are numbers, so that rows with
        the same trouble count as one kind.

    Examples:
        >>> row = {"path": "a.wav", "status": "error", "error": "audio: no such file: a.wav"}
        >>> dict(causes(pl.LazyFrame([row, {**row, "status": "ok"}])))
        {'audio: no such file': 1}
    """
    error = pl.col("error").cast(pl.String)  # of no type in JSON Lines where no row failed
    about_a_file = error.str.starts_with(f"{AUDIO_STAGE}: ")
    without = error.str.strip_suffix(pl.lit(": ") + pl.col("path").cast(pl.String))
    cause = pl.when(about_a_file).then(without).otherwise(error)
    kinds = cause.str.replace_all(r"\d+(\.\d+)?", "…").fill_null("unknown")
    failed = rows.filter(pl.col("status") == "error").select(kinds.alias("cause"))
    counts = failed.group_by("cause").len().collect(engine="streaming")
    return Counter(dict(counts.iter_rows()))


def cut_short(rows: pl.LazyFrame) -> int:
    """Count segments whose files end before they do.

    Args:
        rows: of a score table, with ``duration``, and with ``start`` and ``end`` where it has any.

    Returns:
        Those that were scored of which more than half a second isn't there.

    Examples:
        >>> cut_short(pl.LazyFrame({"start": [1, 1], "end": [9, 2], "duration": [1.0, 1.0]}))
        1
    """
    names = rows.collect_schema().names()
    if "end" not in names or "duration" not in names:
        return 0
    end, duration = (pl.col(name).cast(pl.Float64, strict=False) for name in ("end", "duration"))
    start = pl.col("start").cast(pl.Float64, strict=False) if "start" in names else pl.lit(None)
    lacks = end - start.fill_null(0.0) - duration
    return int(rows.select((lacks > ROUNDING).sum()).collect(engine="streaming").item())


def summary(rows: int, failed: Mapping[str, int], speed: str, target: Path | None) -> str:
    """Say what came of a run.

    Args:
        rows: of the table.
        failed: those of them that failed, by cause.
        speed: how fast it was, empty where nothing was scored.
        target: the table, None for standard output.

    Returns:
        Half a sentence.

    Examples:
        >>> summary(9, {"audio: empty file": 2}, "", Path("s.csv"))
        '9 rows in s.csv, 2 failed (2 audio: empty file)'
    """
    where = "on standard output" if target is None else f"in {target}"
    said = f"{counted(rows, 'row')} {where}"
    said += f", {sum(failed.values())} failed ({_named(failed)})" if failed else ", none failed"
    return f"{said}, {speed}" if speed else said


def _named(failed: Mapping[str, int]) -> str:
    # By how many, then by name: the same rows give the same line.
    ordered = sorted(failed.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{count} {cause}" for cause, count in ordered[:MOST_CAUSES]]
    others = sum(count for _, count in ordered[MOST_CAUSES:])
    return "; ".join([*named, f"{others} for other causes"] if others else named)


@dataclass
class Outcome:
    """What came of a run's rows.

    Attributes:
        failed: rows that failed, by cause.
        languages: transcripts that were cleaned, by language.
        cut_short: segments of which a part isn't there.
    """

    failed: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    cut_short: int = 0

    @classmethod
    def of_table(cls, table: Path) -> Outcome:
        """What came of the rows of a score table.

        Args:
            table: its file.

        Returns:
            The outcome.
        """
        outcome = cls()
        outcome.add(reading.scan(str(table)))
        return outcome

    def add(self, rows: pl.LazyFrame) -> None:
        """Count more rows.

        Args:
            rows: of the score table.
        """
        self.failed += causes(rows)
        self.cut_short += cut_short(rows)
        if "language" in rows.collect_schema():  # tables of before have none
            self.languages += languages.cleaned(rows)


@dataclass(frozen=True)
class End:
    """How a run ends: with a line that says what came of it, and an error where too much failed.

    Attributes:
        rows: the manifest.
        target: the score table, None for standard output.
        gate: by which rows' text was left out, None for none.
        most_errors: share of rows, 0 to 1, that may fail.
        is_shard: whether the table is a part of one.
        without: which of ``speech`` and ``text`` the run does without.
    """

    rows: Manifest
    target: Path | None
    gate: Gate | None
    most_errors: float
    is_shard: bool
    without: Collection[str] = ()

    def of(self, outcome: Outcome, speed: str = "") -> None:
        """End.

        Args:
            outcome: of all rows.
            speed: how fast the run was, empty where nothing was scored.

        Raises:
            TooManyErrors: if more rows failed than may.
        """
        if outcome.cut_short:
            log.warning(CUT_SHORT, counted(outcome.cut_short, "segment"), ROUNDING)
        rows, errors = len(self.rows), outcome.failed.total()
        said = summary(rows, outcome.failed, speed, self.target)
        if self.target is not None and (errors < rows or self.is_shard):
            command = self._next(self.target)
            said += f"; next: {command}" if command else ""
        log.info("note: %s", said)
        if not errors or (errors < rows and errors <= self.most_errors * rows):
            return
        # When none could be scored something else than a row is wrong, whatever is allowed.
        allowed = f"{errors} of {rows} rows failed, more than --max-error-rate {self.most_errors:g}"
        what = f"all {rows} rows failed" if errors == rows else f"{allowed} allows"
        again = "score again" if self.target is None else "score those with --retry-errors"
        raise TooManyErrors(
            f"{what}; the table has all rows: mend what its column 'error' names, and {again}"
        )

    def _next(self, target: Path) -> str | None:
        table = shlex.quote(str(target))
        if self.is_shard:
            return "`emobatch merge` joins the tables of all shards"
        if self.gate is not None:
            return f"`emobatch apply {table} -t {shlex.quote(self.gate.name)}`"
        is_labelled = _has_labels(self.rows.rows)
        if is_labelled and self.without:
            return f"`emobatch evaluate {table}`"
        if "speech" in self.without:
            return None  # no method decides such rows
        if is_labelled:
            return f"`emobatch calibrate {table} -o thresholds.toml`"
        return (
            f"`emobatch apply {table} -t THRESHOLDS`, with what `emobatch calibrate` fitted on "
            f"rows that have a {LABEL}"
        )


def _has_labels(rows: pl.LazyFrame) -> bool:
    if LABEL not in rows.collect_schema():
        return False
    said = pl.col(LABEL).cast(pl.String, strict=False).str.strip_chars() != ""
    return bool(rows.select(said.fill_null(False).any()).collect(engine="streaming").item())
