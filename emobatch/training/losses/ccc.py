"""Concordance: the sum over attributes of 1 - CCC.

Lin, *A concordance correlation coefficient to evaluate reproducibility* (Biometrics, 1989).
"""

from __future__ import annotations

from typing import ClassVar, Self

import torch

from emobatch.training.losses.loss import Loss, LossOptions

# Keeps a batch apart from a division by nothing in which all rows are the same.
LEAST = 1e-8


class Concordance(Loss):
    """Wants numbers that move together, are spread alike, and have the same mean."""

    of_attributes: ClassVar[bool] = True

    @classmethod
    def of(cls, options: LossOptions) -> Self:
        """Make it; it has no options."""
        return cls()

    def __call__(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Measure a batch; see :meth:`emobatch.training.losses.loss.Loss.__call__`.

        Args:
            outputs: (rows, attributes).
            targets: (rows, attributes).

        Returns:
            From 0, where they are the same, to twice the number of attributes.

        Examples:
            >>> values = torch.tensor([[1.0], [2.0], [3.0]])
            >>> round(Concordance()(values + 1, values).item(), 4)  # 1 - 2 (2/3) / (2/3 + 2/3 + 1)
            0.4286
        """
        apart = outputs - outputs.mean(dim=0), targets - targets.mean(dim=0)
        covariance = (apart[0] * apart[1]).mean(dim=0)
        spread = sum(each.square().mean(dim=0) for each in apart)
        shift = (outputs.mean(dim=0) - targets.mean(dim=0)).square()
        return (1 - 2 * covariance / (spread + shift + LEAST)).sum()
