"""A small network: a hidden layer of each input, joined, one more hidden layer, and the classes.

What goes into a matrix product is in steps of 2^-16, and small enough that all sums are exact in
64 bits. So a row's figures have the same bits whatever rows are beside it, and however many threads
or which library multiply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEPS = 2.0**16
MOST_INPUT, MOST_HIDDEN, MOST_WEIGHT = 32.0, 1024.0, 16.0
# A sum of products is a multiple of 2^-32, and exact where it stays below this.
MOST_SUM = 2.0**21
HIDDEN, JOINT = 64, 32
JOINED, OUTPUT = "joined", "output"


def grained(values: Floats, most: float) -> Floats:
    """Round to steps of 2^-16.

    Args:
        values: of any shape.
        most: the largest size that is kept.

    Returns:
        The same shape.

    Examples:
        >>> grained(np.array([1.000001, -50.0]), 32).tolist()
        [1.0, -32.0]
    """
    return np.asarray(np.rint(np.clip(values, -most, most) * STEPS) / STEPS)


@dataclass(frozen=True)
class Layer:
    """A linear map.

    Attributes:
        weights: (inputs, outputs).
        offsets: (outputs,).
    """

    weights: Floats
    offsets: Floats

    @classmethod
    def drawn(cls, inputs: int, outputs: int, random: np.random.Generator) -> Layer:
        """Begin with random weights, uniform within 1 / sqrt(inputs).

        Args:
            inputs: how many.
            outputs: how many.
            random: where they come from.

        Returns:
            The layer.
        """
        most = 1 / np.sqrt(max(inputs, 1))
        return cls(
            random.uniform(-most, most, (inputs, outputs)), random.uniform(-most, most, outputs)
        )

    def of(self, values: Floats) -> Floats:
        """Apply it.

        Args:
            values: (rows, inputs) in steps of 2^-16.

        Returns:
            (rows, outputs).
        """
        return np.asarray(values.astype(np.float64) @ self.weights + self.offsets)

    def grained(self) -> Layer:
        """The same in steps of 2^-16."""
        return Layer(grained(self.weights, MOST_WEIGHT), grained(self.offsets, MOST_HIDDEN))

    def is_exact(self, most: float) -> bool:
        """Whether sums can't outgrow what is exact.

        Args:
            most: the largest size of its inputs.

        Returns:
            Whether that holds, and all weights are in steps.
        """
        steps = [values * STEPS for values in (self.weights, self.offsets)]
        if not all(np.isfinite(each).all() and (each == np.rint(each)).all() for each in steps):
            return False
        sums = most * np.abs(self.weights).sum(axis=0) + np.abs(self.offsets)
        return bool((sums < MOST_SUM).all())


@dataclass(frozen=True)
class Network:
    """A network of one input or several.

    Attributes:
        branches: from each input to its hidden layer.
        joined: from all of these, side by side, to the layer that joins them.
        output: from that to the classes.
    """

    branches: Mapping[str, Layer]
    joined: Layer
    output: Layer

    @classmethod
    def drawn(cls, widths: Mapping[str, int], classes: int, random: np.random.Generator) -> Network:
        """Begin with random weights.

        Args:
            widths: how many numbers each input has.
            classes: how many there are.
            random: where weights come from.

        Returns:
            The network.
        """
        branches = {name: Layer.drawn(width, HIDDEN, random) for name, width in widths.items()}
        joined = Layer.drawn(HIDDEN * len(branches), JOINT, random)
        return cls(branches, joined, Layer.drawn(JOINT, classes, random))

    def logits(self, inputs: Mapping[str, NDArray[np.floating]]) -> Floats:
        """Score rows.

        Args:
            inputs: (rows, numbers) of each, scaled and in steps of 2^-16.

        Returns:
            (rows, classes).
        """
        hidden = [
            _rectified(layer.of(inputs[name].astype(np.float64)))
            for name, layer in self.branches.items()
        ]
        joined = _rectified(self.joined.of(np.concatenate(hidden, axis=1)))
        return self.output.of(joined)

    def layers(self) -> dict[str, Layer]:
        """All layers by name, those of inputs first."""
        return {**self.branches, JOINED: self.joined, OUTPUT: self.output}

    @classmethod
    def of_layers(cls, layers: Mapping[str, Layer]) -> Network:
        """What :meth:`layers` gave, put together.

        Args:
            layers: by name.

        Returns:
            The network.
        """
        branches = {name: each for name, each in layers.items() if name not in (JOINED, OUTPUT)}
        return cls(branches, layers[JOINED], layers[OUTPUT])

    def grained(self) -> Network:
        """The same in steps of 2^-16."""
        return Network.of_layers({name: each.grained() for name, each in self.layers().items()})

    def fault(self, widths: Mapping[str, int], classes: int) -> str | None:
        """Say what is wrong with it.

        Args:
            widths: how many numbers its inputs should have.
            classes: how many there should be.

        Returns:
            The layer that doesn't fit the others or whose numbers are not exact; None where all is
            well.
        """
        hidden = [layer.weights.shape[-1] for layer in self.branches.values()]
        wanted = {
            **{
                name: (widths.get(name), count)
                for name, count in zip(self.branches, hidden, strict=True)
            },
            JOINED: (sum(hidden), self.joined.weights.shape[-1]),
            OUTPUT: (self.joined.weights.shape[-1], classes),
        }
        for name, layer in self.layers().items():
            most = MOST_INPUT if name in self.branches else MOST_HIDDEN
            fits = layer.weights.shape == wanted[name]
            if not fits or layer.offsets.shape != wanted[name][1:] or not layer.is_exact(most):
                return name
        return None


def _rectified(values: Floats) -> Floats:
    return grained(np.maximum(values, 0.0), MOST_HIDDEN)
