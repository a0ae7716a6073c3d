"""A model that is trained: what it is given, what it says, and how it is saved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from numpy.typing import NDArray
from torch import nn

from emobatch.errors import CheckpointError
from emobatch.models import hub
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.classifiers import UNUSED_PARAMETERS, read_config
from emobatch.training.goals.goal import Goal

Inputs = dict[str, torch.Tensor]
MOST_NAMED = 3


class Learner(ABC):
    """A network on its way from a base to a checkpoint.

    Attributes:
        network: with an output for each of the goal's.
        goal: what it learns.
    """

    network: Any  # a module, and of transformers or of ours
    goal: Goal

    @abstractmethod
    def inputs(self, examples: Sequence[NDArray[Any]]) -> Inputs:
        """Make what the network is given.

        Args:
            examples: samples or tokens of each row.

        Returns:
            Tensors, padded; among them ``lengths``, (rows,), which :meth:`logits` takes out.
        """

    def logits(self, network: nn.Module, inputs: Inputs) -> torch.Tensor:
        """Run the network.

        Args:
            network: itself, or what it is wrapped in.
            inputs: on its device.

        Returns:
            (rows, outputs) in single precision.
        """
        given = {name: value for name, value in inputs.items() if name != "lengths"}
        found: torch.Tensor = network(**given).logits
        return found.float()

    def penalty(self) -> torch.Tensor | float:
        """What is added to the loss, of the weights alone."""
        return 0.0

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write a checkpoint that `score` takes.

        Args:
            folder: to write to; it is there.
        """

    @property
    @abstractmethod
    def encoder(self) -> nn.Module:
        """What of the network came with the base."""

    def begin_head(self) -> None:
        """Give the head new values: what a base's own head says is of other outputs."""
        of_encoder = {id(module) for module in self.encoder.modules()}
        for module in self.network.modules():
            if id(module) not in of_encoder and hasattr(module, "reset_parameters"):
                module.reset_parameters()


def load(auto_model: Any, checkpoint: Checkpoint, goal: Goal | None) -> Any:
    """Load a base, with a head of random values.

    Args:
        auto_model: Auto class of transformers.
        checkpoint: its files.
        goal: that its outputs are made for; None where there is no head.

    Returns:
        The model in single precision, on the CPU.

    Raises:
        CheckpointError: if it can't be loaded, or lacks more than a head.
    """
    with checkpoint.explained(), hub.closed(), quiet():
        config = read_config(checkpoint, auto_model)
        if goal is not None:
            config.problem_type = goal.kind
            config.num_labels = len(goal.outputs)
            config.id2label = dict(enumerate(goal.outputs))
            config.label2id = {name: place for place, name in config.id2label.items()}
        model, report = auto_model.from_pretrained(
            checkpoint.folder,
            config=config,
            dtype=torch.float32,
            trust_remote_code=False,
            weights_only=True,
            local_files_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    _check_encoder(checkpoint, model, report)
    return model


def _check_encoder(checkpoint: Checkpoint, model: Any, report: Mapping[str, Any]) -> None:
    prefix = "" if model.base_model is model else f"{model.base_model_prefix}."
    lacking = [*report["missing_keys"], *(each[0] for each in report["mismatched_keys"])]
    # What transformers makes anew in any base, and no head of one: the pooling of a text model.
    aside = (*UNUSED_PARAMETERS, "pooler.dense.weight", "pooler.dense.bias")
    missing = [name for name in lacking if name.startswith(prefix) and not name.endswith(aside)]
    if missing:
        raise CheckpointError(
            f"{checkpoint.name}: no values for {', '.join(sorted(missing)[:MOST_NAMED])}, so that "
            f"its encoder was never trained; give {checkpoint.option} another checkpoint"
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from saying that a head is new, and from bars of its own.

    Yields:
        Nothing.
    """
    said: Any = transformers.logging
    before, had_bars = said.get_verbosity(), said.is_progress_bar_enabled()
    said.set_verbosity_error()
    said.disable_progress_bar()
    try:
        yield
    finally:
        said.set_verbosity(before)
        if had_bars:
            said.enable_progress_bar()


def freeze(parameters: Iterable[nn.Parameter]) -> None:
    """Leave parameters as they are.

    Args:
        parameters: of a network.
    """
    for parameter in parameters:
        parameter.requires_grad = False
