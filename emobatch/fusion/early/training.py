"""How a network is trained: Adam on balanced cross-entropy, stopped early on other speakers.

On one thread and in double precision, from a fixed seed: the same rows give the same network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emobatch.fusion.early.inputs import Numbers
from emobatch.fusion.early.network import JOINED, OUTPUT, Layer, Network
from emobatch.fusion.evidence import Floats

if TYPE_CHECKING:
    from torch import Tensor

RATE, BATCH, DROPOUT = 1e-3, 64, 0.2
MOST_EPOCHS, PATIENCE = 200, 15
# Rows whose loss is taken at once while nothing is learnt.
BLOCK = 4096


@dataclass(frozen=True)
class Sample:
    """Rows to train on, in an order that doesn't depend on the table's.

    Attributes:
        inputs: (rows, numbers) of each, scaled; NaN throughout a row that lacks it.
        labels: (rows,) numbers of classes.
        weights: (rows,) how much each counts.
        validates: (rows,) whether it tells when to stop, instead of being learnt from.
    """

    inputs: Mapping[str, Numbers]
    labels: NDArray[np.intp]
    weights: Floats
    validates: NDArray[np.bool_]

    def take(self, rows: NDArray[np.bool_], names: tuple[str, ...]) -> Sample:
        """Some of the rows and inputs.

        Args:
            rows: (rows,) which.
            names: which inputs.

        Returns:
            The same of these.
        """
        return replace(
            self,
            inputs={name: self.inputs[name][rows] for name in names},
            labels=self.labels[rows],
            weights=self.weights[rows],
            validates=self.validates[rows],
        )


def train(
    network: Network, sample: Sample, random: np.random.Generator, *, frozen: bool = False
) -> tuple[Network, int]:
    """Train a network until rows of other speakers are decided no better.

    Args:
        network: to begin with.
        sample: with its inputs; rows to learn from and rows that validate.
        random: deals rows into batches, and leaves hidden units out.
        frozen: whether the layers of inputs stay as they are.

    Returns:
        The network as it was after its best epoch, and how many epochs that took.
    """
    import torch

    layers = network.layers()
    with _one_thread():
        parameters = {
            (name, part): torch.tensor(
                getattr(layer, part), requires_grad=not (frozen and name in network.branches)
            )
            for name, layer in layers.items()
            for part in ("weights", "offsets")
        }
        run = _Run(sample, tuple(network.branches), parameters)
        best, kept, epochs = run.loss(), _copied(parameters), 0
        learnt = [each for each in parameters.values() if each.requires_grad]
        adam = torch.optim.Adam(learnt, lr=RATE)
        for epoch in range(1, MOST_EPOCHS + 1):
            for rows in run.batches(random):
                adam.zero_grad()
                run.learning_loss(rows, random).backward()  # type: ignore[no-untyped-call]
                adam.step()
            loss = run.loss()
            if loss < best:
                best, kept, epochs = loss, _copied(parameters), epoch
            elif epoch - epochs >= PATIENCE:
                break
    return Network.of_layers(
        {name: Layer(kept[name, "weights"], kept[name, "offsets"]) for name in layers}
    ), epochs


@dataclass(frozen=True)
class _Run:
    sample: Sample
    names: tuple[str, ...]
    parameters: Mapping[tuple[str, str], Any]

    def batches(self, random: np.random.Generator) -> Iterator[NDArray[np.intp]]:
        rows = random.permutation(np.flatnonzero(~self.sample.validates))
        yield from np.array_split(rows, max(1, round(len(rows) / BATCH)))

    def learning_loss(self, rows: NDArray[np.intp], random: np.random.Generator) -> Tensor:
        loss, weight = self._loss(rows, random)
        return loss / max(weight, np.finfo(np.float64).tiny)

    def loss(self) -> float:
        import torch

        sums = np.zeros(2)
        with torch.no_grad():
            validating = np.flatnonzero(self.sample.validates)
            for first in range(0, len(validating), BLOCK):
                loss, weight = self._loss(validating[first : first + BLOCK])
                sums += (float(loss), weight)
        return float(sums[0] / sums[1]) if sums[1] else float("inf")

    def _loss(
        self, rows: NDArray[np.intp], random: np.random.Generator | None = None
    ) -> tuple[Tensor, float]:
        import torch
        from torch.nn.functional import cross_entropy

        weights = self.sample.weights[rows]
        each = cross_entropy(
            self._logits(rows, random),
            torch.from_numpy(self.sample.labels[rows]),
            reduction="none",
        )
        return (each * torch.from_numpy(weights)).sum(), float(weights.sum())

    def _logits(self, rows: NDArray[np.intp], random: np.random.Generator | None) -> Tensor:
        import torch

        inputs = {name: torch.from_numpy(self.sample.inputs[name][rows]) for name in self.names}
        hidden = torch.cat(
            [torch.relu(self._layer(name, each.double())) for name, each in inputs.items()], dim=1
        )
        if random is not None:
            kept = (random.random(tuple(hidden.shape)) >= DROPOUT) / (1 - DROPOUT)
            hidden = hidden * torch.from_numpy(kept)
        return self._layer(OUTPUT, torch.relu(self._layer(JOINED, hidden)))

    def _layer(self, name: str, values: Tensor) -> Tensor:
        mapped: Tensor = (
            values @ self.parameters[name, "weights"] + self.parameters[name, "offsets"]
        )
        return mapped


def _copied(parameters: Mapping[tuple[str, str], Any]) -> dict[tuple[str, str], Floats]:
    return {name: each.detach().numpy().copy() for name, each in parameters.items()}


@contextmanager
def _one_thread() -> Iterator[None]:
    # With more, sums are dealt out otherwise on another machine, and have other last bits.
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
