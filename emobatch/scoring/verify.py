"""A score table held against its own audio: a sample of its rows, scored again one at a time."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import CheckpointError, TableError, TaskError, VerificationError
from emobatch.manifests.clips import clips
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.readers.table import SECONDS, seconds_of
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.choice import Choice
from emobatch.models.names import (
    AUTO,
    BRANCHES,
    EMOTIONAL,
    LEFT_OUT,
    SEVERAL,
    SIDES,
    WITH_MODEL,
    kind_of,
)
from emobatch.scorers.columns import PROBABILITY
from emobatch.scorers.plan import Plan
from emobatch.scoring.cascade import Cascade
from emobatch.scoring.made_with import BESIDE
from emobatch.scoring.progress import Progress, Silent, Tally
from emobatch.scoring.rows import to_frame
from emobatch.scoring.utterances import Utterance
from emobatch.storage.access import NO_ACCESS, Access
from emobatch.storage.address import Address, Place
from emobatch.tables import provenance, reading, stored
from emobatch.tables.provenance import model_difference
from emobatch.tasks.labels import written
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)

SETTINGS = ("device", "precision", "language", "asr_context", "clean")
# Columns that tables of before lack.
LATER = ("language",)
# Batches shorter than any window, so that each is one of its own; and what was decoded once is
# decoded again, however long it is.
ALWAYS = {"batch_seconds": 1e-3, "max_seconds": 1e9}


@dataclass(frozen=True)
class Difference:
    """A value of the table that didn't come out again.

    Attributes:
        id: of the row.
        column: of the value; ``error`` where the row could not be scored.
        table: what the table says.
        again: what came out.
    """

    id: str
    column: str
    table: Any
    again: Any


@dataclass(frozen=True)
class Verification:
    """What came of it.

    Attributes:
        source: the table.
        ok_rows: rows that it has scores for.
        rows: how many of them were scored again.
        tolerance: by how much probabilities may differ.
        largest: by how much a probability differed at most.
        differences: what was beyond the tolerance.
    """

    source: str
    ok_rows: int
    rows: int
    tolerance: float
    largest: float
    differences: tuple[Difference, ...]

    def refuse_differences(self) -> None:
        """Fail if anything differed.

        Raises:
            VerificationError: says how many rows.
        """
        bad = len({difference.id for difference in self.differences})
        if bad:
            raise VerificationError(
                f"{self.source}: {bad} of {self.rows} rows don't score as it says; mend audio or "
                "--root if that is what changed, else score the manifest again"
            )


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
    choice = _choice(source, made, overrides)
    found = choice.find_checkpoints()
    _check_weights(made, found)
    plan = Plan.of(choice, found)
    table = _scored_rows(source, plan)
    _note_versions(made)
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
        beyond, difference = _compare(row, fresh, plan, tolerance)
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


def _choice(source: str, made: Mapping[str, Any], overrides: Mapping[str, Any]) -> Choice:
    given = {name: value for name, value in overrides.items() if value not in (None, ())}
    try:
        models, options = made["models"], made["options"]
        sides = {side: options.get(side) or WITH_MODEL for side in SIDES}
        without = {branch for side in SIDES if sides[side] == LEFT_OUT for branch in SIDES[side]}
        if EMOTIONAL not in models:
            without.add(EMOTIONAL)
        used = [branch for branch in BRANCHES if branch not in without]
        names: dict[str, Any] = {f"{b}_model": str(models[b]["name"]) for b in used}
        for kind in SEVERAL:
            several = [str(models[branch]["name"]) for branch in models if kind_of(branch) == kind]
            names[f"{kind.replace('-', '_')}_model"] = tuple(several)
        settings = {name: str(options[name]) for name in SETTINGS}
        maps = {
            name: tuple(written({label: to}) for label, to in options[name].items())
            for name in ("label_map", "text_label_map")
        }
        beside = {name: options[name] for name in BESIDE if options.get(name) is not None}
        known = {**names, **sides, **settings, **maps, **beside}
        known["beam_size"] = int(options["beam_size"])
        known["prosody"] = bool(options.get("prosody"))
        known["transcript_language"] = options.get(*_given_language(options))
        known["classes"] = Task.from_dict(made["task"])
        return Choice(**{**known, **given, **ALWAYS})
    except (TaskError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise TableError(
            f"{source}: doesn't say what it was made with; verify the file that `score -o` wrote, "
            f"with {stored.sidecar(Path(source)).name} beside it if it isn't Parquet"
        ) from error


def _given_language(options: Mapping[str, Any]) -> tuple[str, str | None]:
    # Before there was a choice, such transcripts were taken to be English where it was detected.
    return "transcript_language", "en" if options["language"] == AUTO else None


def _check_weights(made: Mapping[str, Any], found: Mapping[str, Checkpoint]) -> None:
    for branch, checkpoint in found.items():
        if branch not in made["models"]:
            raise CheckpointError(
                f"{checkpoint.name}: the table was made without {checkpoint.option}; leave it out"
            )
        there, here = made["models"][branch], checkpoint.provenance()
        differing = model_difference(there, here)
        if differing is not None:
            what = "settings" if differing == "settings" else "weights"
            key = "settings" if differing == "settings" else "digest"
            raise CheckpointError(
                f"{checkpoint.name}: other {what} than the table's: here {here[key]}, there "
                f"{there.get(key)} of {there.get('name')}, revision "
                f"{there.get('revision') or 'unknown'}; give {checkpoint.option} those"
            )


def _note_versions(made: Mapping[str, Any]) -> None:
    here, there = provenance.software(provenance.SCORING_PACKAGES), made.get("software")
    if isinstance(there, Mapping):
        changed = [f"{name} {there[name]}" for name in there if there[name] != here.get(name)]
        if changed:
            now = ", ".join(
                f"{name} {here[name]}" for name in here if here[name] != there.get(name)
            )
            log.warning("note: the table was made with %s; here is %s", ", ".join(changed), now)


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


def _compare(
    stored: Mapping[str, Any], again: Mapping[str, Any], plan: Plan, tolerance: float
) -> tuple[list[Difference], float]:
    if again["error"] is not None:
        return [Difference(stored["id"], "error", None, again["error"])], 0.0
    beyond: list[Difference] = []
    largest = 0.0
    for name, column in plan.columns.items():
        if name not in stored:
            continue  # a column of LATER
        mine, theirs = stored[name], again[name]
        if column.leeway is not None and mine is not None and theirs is not None:
            difference = _distance(mine, theirs)
            if column.leeway == PROBABILITY and math.isfinite(difference):
                largest = max(largest, difference)
            if difference <= tolerance * column.leeway:
                continue
        elif (mine or None) == (theirs or None):  # a text format has one way to write nothing
            continue
        beyond.append(Difference(stored["id"], name, _plain(mine), _plain(theirs)))
    return beyond, largest


def _distance(mine: Any, theirs: Any) -> float:
    # Of embeddings, the number that is farthest off.
    if isinstance(mine, list):
        return max((abs(a - b) for a, b in zip(mine, theirs, strict=True)), default=0.0)
    return float(abs(mine - theirs))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return f"{len(value)} numbers, the first of them {value[0]:.6g}"
    # JSON has no NaN.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
