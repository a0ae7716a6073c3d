"""Cross-entropy: -log p of the right class."""

from __future__ import annotations

from typing import Self

import torch

from emobatch.training.losses.loss import Loss, LossOptions, weighted_mean, weights


class CrossEntropy(Loss):
    """The mean of -log p, each row with the weight of its class."""

    def __init__(self, weight: torch.Tensor) -> None:
        """See :meth:`of`."""
        self._weight = weight

    @classmethod
    def of(cls, options: LossOptions) -> Self:
        """Weigh classes as the user says, evenly by default."""
        return cls(weights(options, cls.usual_weights))

    def __call__(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Measure a batch; see :meth:`emobatch.training.losses.loss.Loss.__call__`.

        Args:
            outputs: (rows, classes).
            targets: (rows,).

        Returns:
            The loss in nats.

        Examples:
            >>> loss = CrossEntropy.of(LossOptions([1, 1]))
            >>> round(loss(torch.zeros(1, 2), torch.tensor([0])).item(), 4)
            0.6931
        """
        logs = outputs.log_softmax(dim=-1).gather(1, targets[:, None])[:, 0]
        return weighted_mean(-logs, self._weight.to(outputs.device)[targets])
