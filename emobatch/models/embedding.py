"""What of an encoder's hidden states is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Embedding:
    """One vector for a clip or a text: an encoder's hidden states, pooled over frames or tokens.

    Attributes:
        layer: number of the hidden states, as transformers counts them: 0 goes into the first
            layer; None for what comes out of the encoder.
        deviation: whether their standard deviation follows their mean.
        states: size of the encoder's hidden states.
    """

    layer: int | None
    deviation: bool
    states: int

    @property
    def width(self) -> int:
        """How many numbers it has.

        Examples:
            >>> Embedding(None, True, 768).width
            1536
        """
        return self.states * (2 if self.deviation else 1)
