"""What every loss is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch

from emobatch.training.losses import BALANCED, EVEN


@dataclass(frozen=True)
class LossOptions:
    """What a loss is made with.

    Attributes:
        counts: (classes,) rows of each class that are trained on; empty where attributes are.
        class_weights: ``balanced`` or ``none``; None for what is usual with the loss.
        gamma: of the focal loss.
    """

    counts: Sequence[int] = ()
    class_weights: str | None = None
    gamma: float = 2.0


class Loss(ABC):
    """How far a model's outputs are from what they should be.

    Attributes:
        of_attributes: whether it is of numbers, and not of classes.
        usual_weights: of classes, where the user doesn't say.
    """

    of_attributes: ClassVar[bool] = False
    usual_weights: ClassVar[str] = EVEN

    @classmethod
    @abstractmethod
    def of(cls, options: LossOptions) -> Self:
        """Make the loss.

        Args:
            options: of the user, and of the rows.

        Returns:
            The loss.
        """

    @abstractmethod
    def __call__(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Measure a batch.

        Args:
            outputs: (rows, outputs) of the model, before any softmax.
            targets: (rows,) places of the classes, or (rows, attributes).

        Returns:
            A number, the mean over the batch.
        """


def weights(options: LossOptions, usual: str) -> torch.Tensor:
    """Weigh the classes.

    Args:
        options: of the user, and of the rows.
        usual: what is done where the user doesn't say.

    Returns:
        (classes,) 1 for each, or where balanced rows / (classes x rows of the class), so that the
        mean weight of a row is 1.

    Examples:
        >>> weights(LossOptions([30, 10], "balanced"), "none").tolist()
        [0.6666666865348816, 2.0]
    """
    counts = torch.tensor(options.counts, dtype=torch.float32)
    if (options.class_weights or usual) != BALANCED:
        return torch.ones_like(counts)
    return counts.sum() / (len(counts) * counts)


def weighted_mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Average rows by their weights.

    Args:
        values: (rows,).
        weight: (rows,).

    Returns:
        Their weighted mean.
    """
    return (weight * values).sum() / weight.sum()
