"""What runs on the nodes of a Ray cluster: it scores rows, and knows nothing of the others."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from emobatch.errors import DeviceError
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring.made_with import made_with, models
from emobatch.scoring.recipe import Recipe, RowScorer
from emobatch.tables.provenance import differences

if TYPE_CHECKING:
    from emobatch.models.devices import Device


class RayWorker:
    """Scores rows in a process of its own; an actor of Ray's."""

    def __init__(self, threads: str) -> None:
        """Hold no models yet.

        Args:
            threads: of OpenMP's, for libraries that are still to be imported.
        """
        # Ray says as many as there are cores to a worker. Whisper's probability that nothing is
        # said depends on it, in the fourth digit, and shall not depend on the node.
        os.environ["OMP_NUM_THREADS"] = threads
        self._scorer: RowScorer | None = None

    def open(self, recipe: Recipe, wanted: Mapping[str, Any], cpus: float, gpus: float) -> None:
        """Check what there is on this node, and load the models.

        Args:
            recipe: how rows are scored.
            wanted: what the table is said to be made with.
            cpus: cores that this process may use.
            gpus: GPUs that it may use.

        Raises:
            EmobatchError: if versions or models are others here, or a model can't be used.
        """
        node, choice = platform.node(), recipe.plan.setup.choice
        if isinstance(recipe.root, Path) and not recipe.root.is_dir():
            raise DeviceError(
                f"node {node}: no folder {recipe.root}, where the audio is; all nodes need to "
                "see it"
            )
        here = choice.look_up()  # where they are on this node
        missing = [branch for branch, checkpoint in here.items() if checkpoint is None]
        if missing:
            raise choice.missing(missing).named(f"node {node}")
        found = {branch: each for branch, each in here.items() if each is not None}
        plan = Plan.of(choice, found)
        device = find_device(choice, cpus, gpus)
        made = made_with(plan, device, recipe.gate, models(plan))
        if differing := differences(made, wanted):
            raise DeviceError(
                f"node {node}: differs from where the command runs in {', '.join(differing)}; "
                "install the same versions and the same models on all nodes"
            )
        self._scorer = replace(recipe, plan=plan, device=device).open()

    def score(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Score some rows.

        Args:
            rows: of a manifest.

        Returns:
            The same rows of the score table.
        """
        if self._scorer is None:
            raise RuntimeError("nothing is scored before the models are loaded")
        return self._scorer.score(rows)


def find_device(choice: Choice, cpus: float, gpus: float) -> Device:
    """Choose where models run on this node.

    Args:
        choice: models and options.
        cpus: cores that one worker may use.
        gpus: GPUs that one worker may use.

    Returns:
        The device, with what there is of it for one worker.

    Raises:
        DeviceError: if the device insisted on isn't there.
    """
    from emobatch.models import devices

    device = devices.choose(choice.device if gpus else "cpu", choice.precision)
    cores = max(1, min(devices.MOST_WORKERS, int(cpus)))
    if device.name == "cpu":
        return replace(device, workers=cores)
    # Others load their models into the same memory.
    seconds = max(devices.LEAST_BATCH_SECONDS, device.batch_seconds * min(1.0, gpus))
    return replace(device, threads=cores, batch_seconds=seconds)
