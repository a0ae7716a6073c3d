"""Focal loss: -a (1 - p)^g log p of the right class.

Lin, Goyal, Girshick, He and Dollár, *Focal loss for dense object detection* (ICCV 2017).
"""

from __future__ import annotations

from typing import ClassVar, Self

import torch

from emobatch.training.losses import BALANCED
from emobatch.training.losses.loss import Loss, LossOptions, weighted_mean, weights


class Focal(Loss):
    """Makes less of rows that are right already: the higher g is, the more so."""

    usual_weights: ClassVar[str] = BALANCED

    def __init__(self, weight: torch.Tensor, gamma: float) -> None:
        """See :meth:`of`."""
        self._weight, self._gamma = weight, gamma

    @classmethod
    def of(cls, options: LossOptions) -> Self:
        """Take a from the frequencies of the classes, unless the user says otherwise."""
        return cls(weights(options, cls.usual_weights), options.gamma)

    def __call__(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Measure a batch; see :meth:`emobatch.training.losses.loss.Loss.__call__`.

        Args:
            outputs: (rows, classes).
            targets: (rows,).

        Returns:
            The mean by a; with g 0 the cross-entropy of the same weights.

        Examples:
            >>> loss = Focal.of(LossOptions([1, 1], gamma=2.0))
            >>> round(loss(torch.zeros(1, 2), torch.tensor([0])).item(), 4)
            0.1733
        """
        logs = outputs.log_softmax(dim=-1).gather(1, targets[:, None])[:, 0]
        focus = (1 - logs.exp()).pow(self._gamma)
        return weighted_mean(-focus * logs, self._weight.to(outputs.device)[targets])
