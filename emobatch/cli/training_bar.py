"""How far a training is: a bar on a terminal, with the loss and the last epoch's figure."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from emobatch.cli.console import console
from emobatch.cli.verbosity import is_quiet


class TrainingBar:
    """Shows steps, loss and figures on standard error if that is a terminal.

    It is an :class:`emobatch.training.course.Progress`.
    """

    def __init__(self) -> None:
        """Begin at nothing."""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps{task.fields[loss]}{task.fields[figure]}, left"),
            TimeRemainingColumn(),
            console=console(stderr=True),
            disable=is_quiet() or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("preparing", total=None, loss="", figure="")

    def __enter__(self) -> TrainingBar:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        self._bar.stop()

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
