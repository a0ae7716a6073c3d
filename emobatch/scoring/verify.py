"""A score table held against its own audio: a sample of its rows, scored again one at a time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import TableError
from emobatch.manifests.clips import clips
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.readers.table import SECONDS, seconds_of
from emobatch.scorers.plan import Plan
from emobatch.scoring.cascade import Cascade
from emobatch.scoring.progress import Progress, Silent, Tally
from emobatch.scoring.rows import to_frame
from emobatch.scoring.table_choice import check_weights, choice_of, note_versions
from emobatch.scoring.utterances import Utterance
from emobatch.scoring.verification import Difference, Verification, compare
from emobatch.storage.access import NO_ACCESS, Access
from emobatch.storage.address import Address, Place
from emobatch.tables import reading, stored

# Columns that tables of before lack.
LATER = ("language",)


def verify(
    source: str,
    *,
    root: Place | None = None,
    access: Access = NO_ACCESS,
    sample: int = 50,
    seed: int = 0,
    tolerance: float = 1e-5,
    progress: Progress | None = None,
    **overrides: Any,
) -> Verification:
    """Score a random sample of a table's rows again and compare.

    Args:
        source: a score table with its provenance.
        root: folder that its paths are relative to; by default the table's own.
        access: what of the files that rows name may be fetched, and where it is kept.
        sample: how many of the rows with scores to take, all if there are fewer.
        seed: another seed takes other rows.
        tolerance: by how much a probability may differ; any other figure by ten times that.
        progress: told how far it is.
        overrides: fields of :class:`Choice` that shall not be the table's; None leaves the table's.

    Returns:
        What differed.

    Raises:
        TableError: if the table can't be read or doesn't say how it was made.
        CheckpointError: if its models aren't to be had, or have other weights.
    """
    with reading.explained(source):
        reading.scan(source)  # what isn't a table at all is said to be none
    # Also of a table that was edited: what differs is what it is held against its audio for.
    made = stored.metadata(source, edited=True)
    choice = choice_of(source, made, overrides)
    found = choice.find_checkpoints()
    check_weights(made, found)
    plan = Plan.of(choice, found)
    table = _scored_rows(source, plan)
    note_versions(made)
    chosen = sorted(random.Random(seed).sample(range(len(table)), min(sample, len(table))))
    rows = table[chosen]
    folder = Path(source).parent if root is None else root
    if isinstance(folder, Address):
        access = replace(access, home=folder)  # which the user named
    differences: list[Difference] = []
    largest = 0.0
    with Fetcher(access) as fetcher:
        again = _score_alone(_utterances(rows, folder), plan, fetcher, progress or Silent())
    for row, fresh in zip(rows.iter_rows(named=True), again, strict=True):
        beyond, difference = compare(row, fresh, plan, tolerance)
        differences += beyond
        largest = max(largest, difference)
    return Verification(source, len(table), len(rows), tolerance, largest, tuple(differences))


def _scored_rows(source: str, plan: Plan) -> pl.DataFrame:
    with reading.explained(source):
        table = reading.scan(source, lambda names: [*plan.numbers(names), *seconds_of(names)])
        schema = table.collect_schema()
        wanted = ("path", *(name for name in plan.columns if name not in LATER))
        missing = [name for name in wanted if name not in schema]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise TableError(
                f"no column {missing[0]}{more}; verify a table as `emobatch score` wrote it"
            )
        types = {"path": pl.String, **dict.fromkeys(SECONDS, pl.Float64), **plan.schema}
        table = table.select(pl.col(name).cast(types[name]) for name in types if name in schema)
        rows = table.filter(pl.col("status") == "ok").collect()
        if rows.is_empty():
            raise TableError("no row with status ok, so nothing to verify; see its column 'error'")
        return rows


def _score_alone(
    utterances: Sequence[Utterance], plan: Plan, fetcher: Fetcher, progress: Progress
) -> Sequence[dict[str, Any]]:
    # torch, which takes seconds: after all that can fail fast.
    from emobatch.models import devices
    from emobatch.scorers.loaded import load

    choice = plan.setup.choice
    progress.start(len(utterances))
    again = []
    with ThreadPoolExecutor(1) as pool, Decoders(1).get_ready() as decoders:
        loaded = load(plan, devices.choose(choice.device, choice.precision))
        progress.begin()
        for utterance in utterances:
            tally = Tally(progress)
            Cascade(loaded, None, pool, decoders, fetcher).score([utterance], tally)
            tally.finished([utterance])
            again.append(to_frame([utterance], plan).row(0, named=True))
    return again


def _utterances(rows: pl.DataFrame, root: Place) -> list[Utterance]:
    own = pl.col("transcript_source") == "manifest"
    given = rows.with_columns(transcript=pl.when(own).then(pl.col("transcript")))
    utterances = []
    walked = clips(given, root)
    for clip, row in zip(walked, rows.iter_rows(named=True), strict=True):
        utterance = Utterance(clip, row["id"])
        if row["transcript_source"] == "gated":
            utterance.needs_text = False
        utterances.append(utterance)
    return utterances
