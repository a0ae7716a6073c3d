"""The models: found, loaded, and made to score a second of noise or a word."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.filesize import decimal

from emobatch.errors import CheckpointError
from emobatch.models import checkpoints
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.choice import Choice

if TYPE_CHECKING:
    from emobatch.models.devices import Device

WORD = "fine"


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


def score(choice: Choice, branch: str) -> str:
    """Whether a model loads, has labels that can be mapped, and scores: as a run has it score."""
    from emobatch.models import devices
    from emobatch.scorers import branches

    found = checkpoint(choice, branch)
    device = devices.choose(choice.device, choice.precision)
    branches.silence_libraries()
    began = monotonic()
    if not np.isfinite(_figures(choice, branch, found, device)).all():
        raise CheckpointError(
            f"{found.name}: what it says is no number in {choice.precision} precision; "
            "use --precision fp32"
        )
    return f"loaded and used within {monotonic() - began:.1f} s"


def _figures(choice: Choice, branch: str, found: Checkpoint, device: Device) -> NDArray[np.float64]:
    from emobatch.scorers import branches

    if branch == "speech":
        return branches.load_speech(choice, found, device).scores([_noise()])
    if branch == "asr":
        (passages,) = branches.load_recogniser(choice, found, device).transcribe([_noise()])
        return np.array([passage.no_speech for passage in passages])
    return branches.load_sentiment(choice, found, device).scores([WORD])


def _noise() -> NDArray[np.float32]:
    from emobatch.manifests.audio import SAMPLE_RATE

    return np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
