"""What becomes of a clip's frames: one vector, from its own frames alone and never from padding."""

from __future__ import annotations

import torch
from torch import nn

# Below this a variance counts as this: of one frame alone it would have no square root to learn by.
LEAST_VARIANCE = 1e-5


def mean(states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Average frames.

    Args:
        states: (clips, frames, size).
        mask: (clips, frames) true where a frame is the clip's own, None where all are.

    Returns:
        (clips, size).

    Examples:
        >>> states = torch.tensor([[[1.0], [3.0], [9.0]]])
        >>> mean(states, torch.tensor([[True, True, False]])).tolist()
        [[2.0]]
    """
    # In single precision whatever the model's: sums over a minute's frames have no place in half.
    if mask is None:
        return states.float().mean(dim=1).to(states.dtype)
    weights = mask.unsqueeze(-1).float()
    return ((states * weights).sum(dim=1) / weights.sum(dim=1)).to(states.dtype)


def deviation(states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Standard deviation of frames: of these, not of a population that they are drawn from.

    Args:
        states: (clips, frames, size).
        mask: (clips, frames) true where a frame is the clip's own, None where all are.

    Returns:
        (clips, size), 0 where a clip has one frame.

    Examples:
        >>> deviation(torch.tensor([[[1.0], [3.0]]]), None).tolist()
        [[1.0]]
    """
    return mean((states - mean(states, mask).unsqueeze(1)) ** 2, mask).sqrt()


class AttentiveStatistics(nn.Module):
    """Attentive statistics pooling (Okabe et al. 2018): what is weighed is learned.

    Attributes:
        sap_linear: (size to size) before the tanh.
        attention: (size, 1) by which a frame's weight follows from that.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.sap_linear = nn.Linear(size, size)
        self.attention = nn.Parameter(torch.empty(size, 1))
        nn.init.normal_(self.attention)

    def forward(self, states: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Pool frames.

        Args:
            states: (clips, frames, size).
            mask: (clips, frames) true where a frame is the clip's own, None where all are.

        Returns:
            (clips, 2 size): weighted mean and weighted standard deviation, side by side.
        """
        scores = torch.tanh(self.sap_linear(states)) @ self.attention
        if mask is not None:
            scores = scores.masked_fill(~mask.unsqueeze(-1), -torch.inf)
            states = states.masked_fill(~mask.unsqueeze(-1), 0)
        weights = scores.float().softmax(dim=1)
        means = (states * weights).sum(dim=1)
        # Not as a difference of squares, which would leave the rounding of two large numbers.
        variances = ((states - means.unsqueeze(1)) ** 2 * weights).sum(dim=1)
        deviations = variances.clamp(min=LEAST_VARIANCE).sqrt()
        return torch.cat([means, deviations], dim=1).to(self.attention.dtype)
