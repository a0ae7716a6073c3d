"""Loss and figures of a training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emobatch.reporting.figures.style import BLUE, GREY, INK, VERMILLION, style


@style()
def training_curves(epochs: Sequence[Mapping[str, float]], by: str, best: int) -> Figure:
    """Draw the losses, and the figure that tells the best epoch.

    Args:
        epochs: ``epoch``, ``loss``, ``val_loss`` and the figure of each.
        by: name of the figure.
        best: number of the best epoch, from 1.

    Returns:
        Two panels, with a line at the best epoch.

    Examples:
        >>> epochs = [{"epoch": 1, "loss": 1.2, "val_loss": 1.3, "UA": 40.0}]
        >>> len(training_curves(epochs, "UA", 1).axes)
        2
    """
    figure = Figure(figsize=(6.4, 3.2))
    losses, figures = figure.subplots(1, 2)
    numbers = [epoch["epoch"] for epoch in epochs]
    looks = (
        (losses, "loss", "train", BLUE, "-", "o"),
        (losses, "val_loss", "val", VERMILLION, "--", "s"),
        (figures, by, "val", VERMILLION, "--", "s"),
    )
    for axes, name, label, colour, line, marker in looks:
        values = [epoch[name] for epoch in epochs]
        axes.plot(
            numbers, values, color=colour, linestyle=line, marker=marker, markersize=4, label=label
        )
    for axes, title in ((losses, "loss"), (figures, by)):
        axes.axvline(best, color=INK, linestyle=":", linewidth=1.2, label="best epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color=GREY, alpha=0.25)
        axes.set_xlabel("epoch")
        axes.set_ylabel(title)
    figure.legend(*losses.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure
