"""How firm the choice of a class's thresholds is, as a thresholds file has it."""

from __future__ import annotations

from dataclasses import dataclass, fields

Span = tuple[float, float]


@dataclass(frozen=True)
class Firmness:
    """How firm the choice of a class's thresholds is.

    Attributes:
        equal_pairs: pairs of the grid with the same M as the pair chosen, which is one of them.
        equal_entropy: the lowest and the highest tau_e of these, nats.
        equal_varentropy: the lowest and the highest tau_v, nats squared.
        resamples: bootstrap resamples in which the class could be fitted; None where none were
            drawn.
        entropy_interval: bounds of the middle 95 % of tau_e over these.
        varentropy_interval: the same of tau_v.
        accuracy_interval: the same of M in percent, on the rows of each resample itself.
        left_out_accuracy: M in percent, over the rows that each resample left out; None where
            none of these were flagged.
    """

    equal_pairs: int
    equal_entropy: Span
    equal_varentropy: Span
    resamples: int | None = None
    entropy_interval: Span | None = None
    varentropy_interval: Span | None = None
    accuracy_interval: Span | None = None
    left_out_accuracy: float | None = None


COUNTS = ("equal_pairs", "resamples")
SPANS = tuple(f.name for f in fields(Firmness) if f.name not in (*COUNTS, "left_out_accuracy"))
