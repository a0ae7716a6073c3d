"""Gradient descent as all three checkpoints are trained with it."""

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils import clip_grad_norm_

_WEIGHT_DECAY: Final = 0.01
_LONGEST_GRADIENT: Final = 1.0
_WARM_UP: Final = 0.2


class Descent:
    """AdamW under a one-cycle learning rate, with clipped gradients."""

    def __init__(self, weights: Iterable[Parameter], peak_rate: float, steps: int) -> None:
        """Set out from a model's weights.

        Args:
            weights: What to train; weights that need no gradient are left alone.
            peak_rate: The highest learning rate.
            steps: Number of steps there will be.
        """
        self._weights = [weight for weight in weights if weight.requires_grad]
        self._optimiser = torch.optim.AdamW(self._weights, lr=peak_rate, weight_decay=_WEIGHT_DECAY)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, peak_rate, total_steps=steps, pct_start=_WARM_UP
        )

    def step(self, loss: Tensor) -> None:
        """Take one step down a loss."""
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self._weights, _LONGEST_GRADIENT)
        self._optimiser.step()
        self._schedule.step()
