"""A run's models, loaded, and what they and their options are called in provenance."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from threadpoolctl import threadpool_limits
from transformers.utils import logging

from emobatch.models.devices import Device
from emobatch.models.steps import parse_steps
from emobatch.scorers.plan import Plan
from emobatch.scorers.scorer import Model


@dataclass(frozen=True)
class Loaded:
    """The models of a run and what goes with them.

    Attributes:
        plan: the scorers.
        models: by the scorer's stage.
        clean_steps: what happens to a transcript before a text model is given it.
        batch_seconds: padded audio to a batch, in seconds.
        decode_timeout: seconds to wait for more of a file.
        max_seconds: seconds of audio that may be decoded of a file.
    """

    plan: Plan
    models: Mapping[str, Model[Any, Any]]
    clean_steps: tuple[str, ...]
    batch_seconds: float
    decode_timeout: float
    max_seconds: float


def load(plan: Plan, device: Device) -> Loaded:
    """Load all models of a run.

    Args:
        plan: the scorers.
        device: where their models run.

    Returns:
        Ready to score.

    Raises:
        EmobatchError: if a model can't be used.
    """
    silence_libraries()
    # Features come out of matrix products on the CPU, whose last bits depend on the threads.
    threadpool_limits(1, user_api="blas")
    if device.name == "cpu":
        # Batches side by side, each on one core, outrun one batch on all cores; and sums taken in
        # one order give the same scores on any number of cores.
        torch.set_num_threads(1)
    choice = plan.setup.choice
    return Loaded(
        plan=plan,
        models={scorer.stage: scorer.load(device) for scorer in plan.scorers},
        clean_steps=parse_steps(choice.clean),
        batch_seconds=choice.batch_seconds or device.batch_seconds,
        decode_timeout=choice.decode_timeout,
        max_seconds=choice.max_seconds,
    )


def silence_libraries() -> None:
    """Keep the libraries' bars and notes off standard error."""
    logs: Any = logging
    logs.disable_progress_bar()  # of each model's weights, across our own
    logs.set_verbosity_error()
    # WavLM's own attention hands torch masks of two types, which it says at every batch.
    warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
