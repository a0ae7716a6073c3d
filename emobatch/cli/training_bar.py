"""How far a training is: a bar on a terminal, with the loss and the last epoch's figure."""

from __future__ import annotations

from emobatch.cli.bar import TerminalBar


class TrainingBar(TerminalBar):
    """Shows steps, loss and figures.

    It is an :class:`emobatch.training.progress.Progress`.
    """

    def __init__(self) -> None:
        """Begin at nothing."""
        super().__init__("steps{task.fields[loss]}{task.fields[figure]}, left", loss="", figure="")

    def start(self, steps: int, done: int) -> None:
        """Begin to count.

        Args:
            steps: of the whole training.
            done: by an earlier run.
        """
        self._bar.reset(self._task, total=steps, completed=done, description="training")

    def advance(self, loss: float) -> None:
        """Count a step.

        Args:
            loss: of it.
        """
        self._bar.update(self._task, advance=1, loss=f", loss {loss:.3f}")

    def measured(self, epoch: int, name: str, value: float) -> None:
        """Show an epoch's figure.

        Args:
            epoch: its number, from 1.
            name: of the figure.
            value: of it.
        """
        self._bar.update(self._task, figure=f", {name} {value:.4g} after epoch {epoch}")
