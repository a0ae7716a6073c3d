"""The main job: a manifest's clips through all scorers into a score table."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emobatch.manifests.amount import amount
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.reading import AS_IT_IS, Reading
from emobatch.manifests.shards import Shard
from emobatch.models import remote
from emobatch.models.choice import Choice
from emobatch.models.cores import available_cores
from emobatch.models.names import MOST_ERRORS
from emobatch.scorers.plan import Plan
from emobatch.scoring import gate as gates
from emobatch.scoring import languages, whole
from emobatch.scoring.gate import Gate
from emobatch.scoring.job import Job
from emobatch.scoring.made_with import chosen, made_with, models, planned
from emobatch.scoring.outcome import End, Outcome
from emobatch.scoring.pace import Pace
from emobatch.scoring.progress import Progress, Silent
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.run import Run
from emobatch.scoring.runners.registry import DEFAULT, RUNNERS
from emobatch.scoring.runners.runner import AS_IT_LIKES, Workers
from emobatch.scoring.work import Work
from emobatch.tables import writing

if TYPE_CHECKING:
    from emobatch.models.devices import Device

log = logging.getLogger(__name__)


def score(
    source: str,
    target: Path | None,
    choice: Choice,
    *,
    how: Reading = AS_IT_IS,
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
        how: the manifest is read.
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
    _check_target(source, target, choice)
    runner = RUNNERS[engine].of(workers, engine)
    run = Run.read(source, target, choice, how, shard)
    without = choice.sides_left_out
    end = End(run.rows, target, gate, max_error_rate, shard is not None, without)

    def is_done(made: Mapping[str, Any]) -> bool:
        return not (restart or retry_errors) and _is_done(run, made, choice, end)

    here = choice.look_up()
    if None in here.values() and is_done(chosen(choice, gate)):
        return
    with Decoders(available_cores()) as decoders:
        missing = choice.ask_hub(here)
        if missing:
            runner.device(choice)  # before gigabytes are fetched for one that isn't there
            log.info("note: %s", amount(run.rows, decoders))
        plan = Plan.of(choice, remote.fetch(here, missing))
        run = run.of_models(plan)
        # Read once: gigabytes may have to be.
        found = models(plan) if gate is not None or target is not None else {}
        if gate is not None:
            gates.check(gate, plan.task, found, choice.sides_left_out)
        languages.note_before(choice, run.rows.rows)
        if is_done(planned(plan, gate, found)):
            return
        pace = Pace(progress or Silent())
        decoders.get_ready()
        device = runner.device(choice)
        _tell_what_is_used(plan, device)
        recipe = Recipe(plan, device, gate, run.rows.root, run.rows.confine, run.rows.access)
        work = Work(run.rows, recipe, pace, decoders)
        job = Job(work, runner, is_announced=bool(missing))
        if target is None:
            outcome = job.to_stream()
        else:
            made = run.stored(made_with(plan, device, gate, found))
            outcome = job.to_table(target, made, restart=restart, retry_errors=retry_errors)
    languages.note_after(choice, outcome.languages)
    end.of(outcome, pace.speed())


def _check_target(source: str, target: Path | None, choice: Choice) -> None:
    writing.check_target(target, sources=[source])
    if choice.embeddings:
        writing.check_arrays(target, "--embeddings")
    if target is not None:
        whole.refuse_held(target)


def _is_done(run: Run, made: Mapping[str, Any], choice: Choice, end: End) -> bool:
    # Then that is said, and the run ends as the one did that made the table.
    if run.target is None or not run.is_whole(made):
        return False
    outcome = Outcome.of_table(run.target)
    languages.note_after(choice, outcome.languages)
    end.of(outcome)
    return True


def _tell_what_is_used(plan: Plan, device: Device) -> None:
    for branch, found in plan.setup.found.items():
        where = f"revision {found.revision}" if found.revision else "a folder"
        log.debug("%s model: %s, %s, in %s", branch, found.name, where, found.folder)
    kind = str(device.dtype).removeprefix("torch.")
    log.debug("on %s in %s; Whisper on %s", device.name, kind, device.ctranslate2)
