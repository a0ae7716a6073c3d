"""What entropy-aware selection is made of: a rule for each class that may be predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from emobatch.fusion.selection.firmness import Firmness

REFER, SIMPLE, DIRECT = "refer", "simple", "direct"
MAPPINGS = (REFER, SIMPLE, DIRECT)


@dataclass(frozen=True)
class Limits:
    """A pair of thresholds: a row is flagged where it is unsure in this way.

    Attributes:
        entropy: tau_e in nats, the least.
        varentropy: tau_v in nats squared, the most.
    """

    entropy: float = -math.inf
    varentropy: float = math.inf


@dataclass(frozen=True)
class SentimentMapping:
    """What the text branch's answer stands for, where it could be several classes.

    Attributes:
        kind: ``refer``, the likeliest of a sentiment's classes in the speech branch's view;
            ``simple``, the first of two negative classes where (score <= tau_m) XOR flip, else
            the second; ``direct``, where the text model says emotions itself.
        sentiment: tau_m of the simple mapping, a probability.
        flip: exchanges the two classes of the simple mapping.
    """

    kind: str = REFER
    sentiment: float = 0.0
    flip: bool = True


@dataclass(frozen=True)
class DetectionFigures:
    """How well limits found misclassified rows, on the rows that they were fitted on.

    Attributes:
        accuracy: M in percent (equation 7), None where a file doesn't say.
        flagged: rows that the limits flagged.
        detected: those of them that the speech branch had wrong.
    """

    accuracy: float | None = None
    flagged: int | None = None
    detected: int | None = None


@dataclass(frozen=True)
class ClassRule:
    """What is done with the rows that the speech branch predicts as one class.

    Attributes:
        limits: by which rows are flagged; None where none ever is.
        mapping: what the text branch's answer then stands for.
        figures: of the limits, on the rows that they were fitted on.
        reason: why there are no limits.
        firmness: how firm the choice of the limits is.
    """

    limits: Limits | None = None
    mapping: SentimentMapping = SentimentMapping()
    figures: DetectionFigures = DetectionFigures()
    reason: str | None = None
    firmness: Firmness | None = None


@dataclass(frozen=True)
class Rules:
    """All that decides.

    Attributes:
        classes: by predicted class; a class that is absent is never flagged.
        exclusions: changes (from, to) that are not made.
    """

    classes: Mapping[str, ClassRule]
    exclusions: tuple[tuple[str, str], ...] = ()

    @property
    def limits(self) -> dict[str, Limits]:
        """The limits of the classes that have some."""
        return {name: rule.limits for name, rule in self.classes.items() if rule.limits is not None}
