"""What every kind of chart does."""

from __future__ import annotations

from abc import ABC, abstractmethod

from matplotlib.figure import Figure

from emobatch.fusion.description import Chart


class ChartKind(ABC):
    """Draws what a method describes."""

    @abstractmethod
    def draw(self, chart: Chart) -> Figure:
        """Draw it.

        Args:
            chart: of this kind.

        Returns:
            The figure.
        """

    @abstractmethod
    def describe(self, chart: Chart) -> str:
        """Tell it to a reader who doesn't see it.

        Args:
            chart: of this kind.

        Returns:
            One or two sentences.
        """
