"""Some rows of a manifest scored on this machine: what they took, and what they show of others."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import polars as pl

from emobatch.errors import EmobatchError, TooManyErrors
from emobatch.manifests.costs import Costs
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.reading import Reading
from emobatch.models.choice import Choice
from emobatch.models.names import LEFT_OUT
from emobatch.models.sides import OPTIONS
from emobatch.planning.memory import Peak
from emobatch.scorers.plan import Plan
from emobatch.scoring import gate as gates
from emobatch.scoring import made_with, sharing
from emobatch.scoring.gate import Gate
from emobatch.scoring.score import score
from emobatch.wording import counted

log = logging.getLogger(__name__)

# Chunks that are scored unless the user says: enough for some to be decoded as others are scored.
CHUNKS = 2
# Rows that are scored before the others, to have everything that a row needs in memory.
FIRST = 8
# Seconds that a sample is to take: some of any run's are spent however few rows it has. Where it
# takes less, so many times as many rows are scored.
ENOUGH_SECONDS = 10.0
LEAST_GROWTH, MOST_GROWTH = 1.5, 8.0


@dataclass(frozen=True)
class Spent:
    """What one run over the sample took.

    Attributes:
        loading: seconds until its models were loaded.
        scoring: seconds from then on.
    """

    loading: float
    scoring: float


@dataclass(frozen=True)
class Sample:
    """What was measured on the sample.

    Attributes:
        rows: how many there are.
        failed: those of them that could not be scored.
        costs: milliseconds of audio that they cost the speech and the text branch.
        loading: seconds until models were loaded and the first rows through, which take longer.
        speech: seconds that the speech branch took for them.
        text: seconds that the text branch took beside it.
        asked: share of the text branch's milliseconds that the gate asks for; None without one.
        memory: bytes, at most.
        table: bytes of the score table, as Parquet.
        parts: bytes of its chunks, as they are saved.
    """

    rows: int
    failed: int
    costs: tuple[int, int]
    loading: float
    speech: float
    text: float
    asked: float | None
    memory: int
    table: int
    parts: int

    @property
    def scoring(self) -> float:
        """Seconds for both branches."""
        return self.speech + self.text


class Timer:
    """Takes the time of a run; an :class:`emobatch.scoring.progress.Progress`."""

    is_shown = True

    def __init__(self) -> None:
        """Begin."""
        self._started = monotonic()
        self._begun = self._last = self._started

    def start(self, rows: int, done: int = 0) -> None:
        """Hear of a run."""

    def begin(self) -> None:
        """Hear that models are loaded."""
        self._begun = self._last = monotonic()

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        """Hear of rows."""
        self._last = monotonic()

    @property
    def spent(self) -> Spent:
        """What it took so far."""
        return Spent(self._begun - self._started, self._last - self._begun)


def take(
    manifest: Manifest, choice: Choice, gate: Gate | None, rows: int | None = None
) -> Sample | None:
    """Score some rows of a manifest, as `score` would.

    Args:
        manifest: whose rows have a ``duration``, but for those that can't be read.
        choice: models and options.
        gate: that decides which rows are transcribed, None for none.
        rows: how many, None for as many as it takes.

    Returns:
        What it took; None where there is no row that can be scored.

    Raises:
        EmobatchError: if the models can't be used, or no row can be scored.
    """
    if gate is not None:
        _check_gate(gate, choice)
    count = CHUNKS * sharing.chunk_rows(choice) if rows is None else rows
    sample = _of(drawn(manifest, sharing.costs(choice), count), choice, gate)
    while rows is None and sample is not None and sample.rows == count < len(manifest):
        if sample.scoring >= ENOUGH_SECONDS:
            break
        growth = min(max(ENOUGH_SECONDS / sample.scoring, LEAST_GROWTH), MOST_GROWTH)
        count = min(round(count * growth), len(manifest))
        grown = _of(drawn(manifest, sharing.costs(choice), count), choice, gate)
        # What is in memory by now need not be loaded again.
        sample = grown and replace(grown, loading=sample.loading)
    return sample


def _of(chosen: Manifest, choice: Choice, gate: Gate | None) -> Sample | None:
    if not len(chosen):
        return None
    log.info("note: scoring a sample of %s", counted(len(chosen), "row"))
    chunk, costs = sharing.chunk_rows(choice), sharing.costs(choice)
    with TemporaryDirectory() as folder, Peak() as peak:
        source = Path(folder) / "manifest.parquet"
        begun = _begun(source, chosen, choice)
        chosen.rows.sink_parquet(source)
        both, table = _scored(source, chosen, choice)
        heard = both.scoring
        if not choice.sides_left_out:
            alone, _ = _scored(source, chosen, _without_text(choice))
            heard = min(alone.scoring, both.scoring)
        elif "speech" in choice.sides_left_out:
            heard = 0.0
    return Sample(
        rows=len(chosen),
        failed=table.filter(pl.col("status") == "error").height,
        costs=totals(chosen, costs),
        loading=begun,
        speech=heard,
        text=both.scoring - heard,
        asked=None if gate is None else _asked(table, chosen, costs, gate),
        memory=peak.most,
        table=_bytes(table),
        parts=sum(_bytes(part) for part in table.iter_slices(chunk)),
    )


def drawn(manifest: Manifest, costs: Costs, count: int) -> Manifest:
    """Draw rows of all lengths: sorted by what they cost, one out of each of as many parts.

    Args:
        manifest: whose rows have a ``duration``; those without one aren't drawn.
        costs: what rows cost.
        count: how many are wanted.

    Returns:
        Those rows, in the manifest's order.
    """
    known = pl.col("duration").is_not_null() & (pl.col("duration") > 0)
    cost = costs.rows(manifest).select(cost=pl.sum_horizontal("speech", "text"))
    numbered = pl.concat([manifest.rows.select(known=known), cost], how="horizontal")
    places = numbered.with_row_index("row").filter("known").sort("cost", "row").collect()["row"]
    count = min(count, len(places))
    picked = sorted(places[(2 * n + 1) * len(places) // (2 * count)] for n in range(count))
    wanted = pl.Series("row", picked, pl.UInt32)
    rows = manifest.rows.with_row_index("row").filter(pl.col("row").is_in(wanted.implode()))
    kept = rows.drop("row").collect().lazy()
    return replace(manifest, rows=kept, length=count)


def totals(manifest: Manifest, costs: Costs) -> tuple[int, int]:
    """Say what all rows together cost.

    Args:
        manifest: whose rows have a ``duration``; those without one can't be read and cost nothing.
        costs: what a row costs.

    Returns:
        Milliseconds of audio for the speech and for the text branch.
    """
    rows = pl.concat([manifest.rows.select("duration"), costs.rows(manifest)], how="horizontal")
    known = rows.filter(pl.col("duration").is_not_null())
    speech, text = known.select(pl.sum("speech", "text")).collect(engine="streaming").row(0)
    return speech, text


def _begun(source: Path, manifest: Manifest, choice: Choice) -> float:
    # Libraries are imported, and dictionaries read, when they are first needed: once for a job,
    # and not to be taken for what every row costs.
    few = manifest.cut([0], FIRST)
    few.rows.sink_parquet(source)
    began = monotonic()
    with suppress(EmobatchError):  # what is wrong is said of the whole sample
        _scored(source, few, choice)
    return monotonic() - began


def _without_text(choice: Choice) -> Choice:
    # Options of what is left out are refused.
    unset = {name: getattr(Choice, name) for name in OPTIONS["text"]}
    # A scale costs nothing, and would be refused without attributes.
    return replace(choice, text=LEFT_OUT, attribute_range=None, **unset)


def _check_gate(gate: Gate, choice: Choice) -> None:
    plan = Plan.of(choice, choice.find_checkpoints())
    gates.check(gate, plan.task, made_with.models(plan), choice.sides_left_out)


def _scored(source: Path, manifest: Manifest, choice: Choice) -> tuple[Spent, pl.DataFrame]:
    timer, target = Timer(), source.with_name("scores.parquet")
    try:
        with _quietly():
            score(
                *(str(source), target, choice),
                how=Reading(manifest.root, confine=manifest.confine, access=manifest.access),
                restart=True,
                max_error_rate=1.0,
                progress=timer,
            )
    except TooManyErrors as error:
        first = pl.read_parquet(target, columns=["error"])["error"][0]
        raise EmobatchError(
            f"none of a sample of {counted(len(manifest), 'row')} could be scored, the first: "
            f"{first}; mend that, or leave the sample out with --sample 0"
        ) from error
    return timer.spent, pl.read_parquet(target)


@contextmanager
def _quietly() -> Iterator[None]:
    # What a run says of its own table is of no use here; its warnings are.
    logger = logging.getLogger("emobatch")
    for handler in logger.handlers:
        handler.addFilter(_is_warning)
    try:
        yield
    finally:
        for handler in logger.handlers:
            handler.removeFilter(_is_warning)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _asked(table: pl.DataFrame, manifest: Manifest, costs: Costs, gate: Gate) -> float:
    text = costs.rows(manifest).collect()["text"].to_numpy()
    asked = gate.needs_text(table).fill_null(False).to_numpy()
    return float(text[asked].sum() / text.sum()) if text.any() else 1.0


def _bytes(table: pl.DataFrame) -> int:
    held = io.BytesIO()
    table.write_parquet(held)
    return len(held.getvalue())
