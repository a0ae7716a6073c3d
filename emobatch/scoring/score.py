"""The main job: a manifest's clips through all scorers into a score table."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emobatch.manifests import manifest
from emobatch.manifests.amount import amount
from emobatch.manifests.columns import ManifestColumns
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.segments.cutting import Cutting
from emobatch.manifests.shards import Shard
from emobatch.models import remote
from emobatch.models.choice import Choice
from emobatch.models.cores import available_cores
from emobatch.models.names import MOST_ERRORS
from emobatch.scorers.plan import Plan
from emobatch.scoring import gate as gates
from emobatch.scoring import languages, sharing, whole
from emobatch.scoring.gate import Gate
from emobatch.scoring.job import Job
from emobatch.scoring.made_with import chosen, made_with, models, planned, trained
from emobatch.scoring.outcome import End, Outcome
from emobatch.scoring.pace import Pace
from emobatch.scoring.progress import Progress, Silent
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.rows import OF_APPLY, written
from emobatch.scoring.runners.registry import DEFAULT, RUNNERS
from emobatch.scoring.runners.runner import AS_IT_LIKES, Workers
from emobatch.scoring.work import Work
from emobatch.storage.access import NO_ACCESS, Access
from emobatch.storage.address import Place
from emobatch.tables import writing
from emobatch.tables.label_column import OPTION as LABEL_COLUMN

if TYPE_CHECKING:
    from emobatch.models.devices import Device

log = logging.getLogger(__name__)


def score(
    source: str,
    target: Path | None,
    choice: Choice,
    *,
    root: Place | None = None,
    form: str | None = None,
    pattern: str | None = None,
    columns: ManifestColumns | None = None,
    cutting: Cutting | None = None,
    confine: bool = False,
    access: Access = NO_ACCESS,
    shard: Shard | None = None,
    gate: Gate | None = None,
    engine: str = DEFAULT,
    workers: Workers = AS_IT_LIKES,
    restart: bool = False,
    retry_errors: bool = False,
    max_error_rate: float = MOST_ERRORS,
    progress: Progress | None = None,
) -> None:
    """Score every clip of a manifest.

    Args:
        source: the manifest, ``-`` for standard input.
        target: the score table; None streams CSV to standard output.
        choice: models and options.
        root: folder that the manifest's paths are relative to.
        form: what the manifest is, None to go by what it looks like.
        pattern: which files of a folder, for a row of each.
        columns: which of the manifest's have which meaning, None for those of known names.
        cutting: how its recordings are cut into segments, None to leave them whole.
        confine: let rows fail whose files are outside of that folder.
        access: what of the files that rows name may be fetched, and where it is kept.
        shard: score only this part of the manifest.
        gate: transcribe only rows whose text could matter to it.
        engine: where chunks are scored, one of
            :data:`emobatch.scoring.runners.registry.RUNNERS`.
        workers: what it scores with.
        restart: throw the work of an earlier run away, saved or whole.
        retry_errors: score rows again that failed in an earlier run.
        max_error_rate: share of rows, 0 to 1, that may fail.
        progress: told how far the run is.

    Raises:
        TooManyErrors: if more rows failed; the table is written all the same.
        EmobatchError: if the run can't begin, or its table not be written.
    """
    writing.check_target(target, sources=[source])
    if choice.embeddings:
        writing.check_arrays(target, "--embeddings")
    if target is not None:
        whole.refuse_held(target)
    runner = RUNNERS[engine].of(workers, engine)
    columns = columns or ManifestColumns()
    rows = manifest.read(
        source,
        root,
        form=form,
        pattern=pattern,
        confine=confine,
        columns=columns,
        cutting=cutting,
        access=access,
    )
    writing.check_columns(rows.rows.collect_schema(), target)
    notes: dict[str, Any] = {}
    if shard is not None:
        rows, notes["shard"] = sharing.take(shard, rows, choice, target)
    rows.refuse_columns(OF_APPLY)
    end = End(rows, target, gate, max_error_rate, is_shard=shard is not None)
    here = choice.look_up()
    if target is not None:
        notes["manifest"] = rows.digest()
    before = _Before(None if restart or retry_errors else target, rows, columns, notes, end)
    if None in here.values() and before.is_whole(chosen(choice, gate), choice):
        return
    missing = choice.ask_hub(here)
    if missing:
        runner.device(choice)  # before gigabytes are fetched for one that isn't there
        with Decoders(available_cores()) as decoders:
            log.info("note: %s", amount(rows, decoders))
    plan = Plan.of(choice, remote.fetch(here, missing))
    rows.refuse_columns(written(plan))
    if made := trained(plan):
        notes["trained"] = made
    # Read once: gigabytes may have to be.
    found = models(plan) if gate is not None or target is not None else {}
    if gate is not None:
        gates.check(gate, plan.task, found, choice.sides_left_out)
    languages.note_before(choice, rows.rows)
    if before.is_whole(planned(plan, gate, found), choice):
        return
    pace = Pace(progress or Silent())
    with Decoders(available_cores()).get_ready() as decoders:
        device = runner.device(choice)
        _tell_what_is_used(plan, device)
        recipe = Recipe(plan, device, gate, rows.root, rows.confine, rows.access)
        job = Job(Work(rows, recipe, pace, decoders), runner, is_announced=bool(missing))
        if target is None:
            outcome = job.to_stream()
        else:
            run = {**_told(made_with(plan, device, gate, found), columns), **notes}
            outcome = job.to_table(target, run, restart=restart, retry_errors=retry_errors)
    languages.note_after(choice, outcome.languages)
    end.of(outcome, pace.speed())


@dataclass(frozen=True)
class _Before:
    """What an earlier run left, as far as that is known without its models.

    Attributes:
        target: the table; None where whatever is there is to be made anew, or scored in part.
        rows: the manifest.
        columns: which of the manifest's have which meaning.
        notes: what is stored with the table beside models and options.
        end: of a run with nothing to do.
    """

    target: Path | None
    rows: Manifest
    columns: ManifestColumns
    notes: Mapping[str, Any]
    end: End

    def is_whole(self, made: dict[str, Any], choice: Choice) -> bool:
        """Whether nothing is left to do: then models are neither fetched nor loaded.

        Args:
            made: what is known of the run.
            choice: its models and options.

        Returns:
            True where that is so, which is said.
        """
        if self.target is None:
            return False
        run = {**_told(made, self.columns), **self.notes}
        done = whole.is_surely_whole(self.target, run, self.rows)
        if done:
            outcome = Outcome.of_table(self.target)
            languages.note_after(choice, outcome.languages)
            self.end.of(outcome)
        return done


def _told(made: dict[str, Any], columns: ManifestColumns) -> dict[str, Any]:
    # Later commands read labels from the column that this one was told of.
    if columns.label is None:
        return made
    return {**made, "options": {**made["options"], LABEL_COLUMN: columns.label}}


def _tell_what_is_used(plan: Plan, device: Device) -> None:
    for branch, found in plan.setup.found.items():
        where = f"revision {found.revision}" if found.revision else "a folder"
        log.debug("%s model: %s, %s, in %s", branch, found.name, where, found.folder)
    kind = str(device.dtype).removeprefix("torch.")
    log.debug("on %s in %s; Whisper on %s", device.name, kind, device.ctranslate2)
