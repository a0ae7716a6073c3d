"""The scale that attributes are given in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from emobatch.errors import OptionError

OPTION = "--attribute-range"


@dataclass(frozen=True)
class Scale:
    """A corpus's scale, which a model's 0 to 1 is mapped onto.

    Attributes:
        low: what 0 stands for.
        high: what 1 stands for.
    """

    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the value of ``--attribute-range``.

        Args:
            text: ``LOW:HIGH``.

        Returns:
            The scale.

        Raises:
            OptionError: if it isn't of that form, or LOW isn't below HIGH.

        Examples:
            >>> Scale.parse("1:7").of(0.5)
            4.0
        """
        try:
            low, high = (float(end) for end in text.split(":"))
        except ValueError:
            low = high = math.nan
        if not -math.inf < low < high < math.inf:
            raise OptionError(f"{OPTION} {text}: give LOW:HIGH, as 1:7, the lower number first")
        return cls(low, high)

    def of(self, value: float) -> float:
        """Map a value; one outside of 0 to 1 comes out as far outside of the scale.

        Args:
            value: as the model has it, about 0 to 1.

        Returns:
            The value in this scale.
        """
        return self.low + value * (self.high - self.low)
