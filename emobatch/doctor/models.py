"""The models: found, loaded, and made to score a second of noise or a word."""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic

import numpy as np
from rich.filesize import decimal

from emobatch.errors import CheckpointError
from emobatch.models import checkpoints
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.choice import Choice
from emobatch.models.names import BRANCHES, SEVERAL, SIDES, kind_of
from emobatch.scorers.registry import SCORERS
from emobatch.scorers.scorer import Setup


def find(choice: Choice, branch: str) -> str:
    """Whether a model is on this machine, and where."""
    found = checkpoint(choice, branch)
    return f"{found.name}, {decimal(found.size())}, in {found.folder}"


def checkpoint(choice: Choice, branch: str) -> Checkpoint:
    """Find a model's files, without asking the hub."""
    found = checkpoints.find(choice.names()[branch], branch)
    if found is None:
        raise choice.missing([branch])
    return found


def tried(choice: Choice, there: Collection[str]) -> list[str]:
    """Branches whose scorers can be tried.

    Args:
        choice: names the checkpoints.
        there: branches whose checkpoint is on this machine.

    Returns:
        Those of them that have scorers, and what has scorers without a checkpoint; each only where
        all models of its side are there.
    """
    branches = dict.fromkeys(SCORERS[name].branch for name in SCORERS)
    names = choice.names()
    return [
        branch
        for branch in branches
        if (_beside(branch, names) <= {*there} and branch in there)
        or branch not in (*BRANCHES, *SEVERAL)
    ]


def _beside(branch: str, names: Collection[str]) -> set[str]:
    # The branches of its side, whose checkpoints share what is wanted. Whisper needs none of them.
    side = next((side for side, kinds in SIDES.items() if branch in kinds), None)
    if side is None or branch == "asr":
        return {branch} & {*names}
    return {name for name in names if kind_of(name) in SIDES[side] and name != "asr"}


def score(choice: Choice, branch: str) -> str:
    """Whether models load, have labels that can be mapped, and score: as a run has them score."""
    from emobatch.models import devices
    from emobatch.scorers.loaded import silence_libraries

    names = choice.names()
    wanted = _beside("speech", names) | _beside(branch, names)
    found = {name: checkpoints.find(names[name], name) for name in names if name in wanted}
    here = {name: each for name, each in found.items() if each is not None}
    setup = Setup(choice, here, choice.task(found))
    of_branch = [SCORERS[name] for name in SCORERS if SCORERS[name].branch == branch]
    planned = [scorer.planned(setup) for scorer in of_branch]
    device = devices.choose(choice.device, choice.precision)
    silence_libraries()
    began = monotonic()
    for scorer in planned:
        if scorer is not None and not np.isfinite(scorer.trial(scorer.load(device))).all():
            name = here[branch].name if branch in here else branch
            raise CheckpointError(
                f"{name}: what it says is no number in {choice.precision} precision; "
                "use --precision fp32"
            )
    return f"loaded and used within {monotonic() - began:.1f} s"
