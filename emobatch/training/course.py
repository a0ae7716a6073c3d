"""The course of a training: epochs told apart, saved, measured, and ended in time."""

from __future__ import annotations

import logging
import math
import resource
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from emobatch.errors import TrainingError
from emobatch.training import storing, validation
from emobatch.training.batches import Examples
from emobatch.training.learner import Learner
from emobatch.training.options import Options
from emobatch.training.progress import Progress, Stop
from emobatch.training.ranks import Ranks
from emobatch.training.source import Source
from emobatch.training.work import PROGRESS, Work
from emobatch.wording import lasting

log = logging.getLogger(__name__)
# Steps after which it can be said how long an epoch takes.
FIRST_STEPS = 5
GOES_ON, SAVES, ENDS = 0, 1, 2


@dataclass
class SoFar:
    """What of an epoch is behind.

    Attributes:
        loss: sum over the rows that this process has trained on.
        rows: how many these are.
        seconds: that earlier runs took for it.
        began: when this run began with it.
    """

    loss: float = 0.0
    rows: int = 0
    seconds: float = 0.0
    began: float = field(default_factory=monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds, of all runs."""
        return self.seconds + monotonic() - self.began


@dataclass(eq=False)
class Course(TrainerCallback):
    """Watches a training of transformers' and says what happens when.

    Attributes:
        learner: the model.
        examples: what it is trained on, epoch by epoch.
        wanted: what it should say of these rows.
        val: rows that validate.
        targets: what it should say of those.
        options: of the user.
        work: where it is saved.
        ranks: processes.
        batches: of this process, to an epoch.
        progress: told how far it is.
        stop: names the signal that asks it to end, None where none came.
        epochs: figures of those that are over.
        stopped: what ended it before its time.
    """

    learner: Learner
    examples: Examples
    wanted: Any
    val: Source
    targets: Any
    options: Options
    work: Work
    ranks: Ranks
    batches: int
    progress: Progress
    stop: Stop
    epochs: list[dict[str, float]] = field(default_factory=list)
    stopped: str | None = None
    _so_far: SoFar = field(default_factory=SoFar)
    _last_loss: float = 0.0
    _began: float = field(default_factory=monotonic)
    _saved: float = field(default_factory=monotonic)
    _steps_here: int = 0

    @property
    def steps(self) -> int:
        """To an epoch."""
        return -(-self.batches // self.options.accumulate)

    @property
    def best(self) -> int | None:
        """The place of the best epoch, of equals the first; None before there is one."""
        values = [epoch[self.options.chosen_best] for epoch in self.epochs]
        return values.index(max(values)) if values else None

    @property
    def is_over(self) -> bool:
        """Whether there is no epoch left, or no patience."""
        patience, best = self.options.patience, self.best
        tired = patience and best is not None and len(self.epochs) - 1 - best >= patience
        return len(self.epochs) >= self.options.epochs or bool(tired)

    def resume(self, checkpoint: Path) -> None:
        """Go on where a checkpoint was saved.

        Args:
            checkpoint: its folder.
        """
        said = storing.read(checkpoint / PROGRESS)
        self.epochs = said["epochs"]
        loss, rows = said["losses"][self.ranks.number]
        self._so_far = SoFar(loss, rows, said["seconds"])

    def heard(self, loss: float, rows: int) -> None:
        """Count a batch.

        Args:
            loss: of it.
            rows: in it.

        Raises:
            TrainingError: if the loss is no number any more.
        """
        if not math.isfinite(loss):
            raise TrainingError(
                "the loss is no finite number any more; begin anew with a lower --learning-rate, "
                "or with --precision fp32"
            )
        self._so_far.loss += loss * rows
        self._so_far.rows += rows
        self._last_loss = loss

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Begin to measure time."""
        self.progress.start(state.max_steps, state.global_step)
        self._began = self._saved = self._so_far.began = monotonic()

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Draw the epoch's batches."""
        self.examples.begin(state.global_step // self.steps)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Save, and end, where that is asked for; at the end of an epoch, its end does."""
        self._steps_here += 1
        self.progress.advance(self._last_loss)
        if self._steps_here == FIRST_STEPS:
            self._estimate(state)
        if state.global_step % self.steps == 0:
            return
        asked = self._asked(args.device)
        if asked != GOES_ON:
            control.should_save = True
        if asked == ENDS:
            control.should_training_stop = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Measure a whole epoch, keep it if it is the best, and save."""
        if self.stopped is not None:
            return
        said = validation.results(
            self.learner, self.val, self.options.batch * self.val.unit, self.ranks, args.device
        )
        parts = self.ranks.gather((self._so_far.loss, self._so_far.rows))
        figures = self.learner.goal.figures(said, self.targets)
        self.epochs.append(
            {
                "epoch": len(self.epochs) + 1,
                "loss": sum(loss for loss, _ in parts) / sum(rows for _, rows in parts),
                **figures,
                "seconds": round(self._so_far.elapsed, 1),
            }
        )
        self._so_far = SoFar()
        by = self.options.chosen_best
        self.progress.measured(len(self.epochs), by, figures[by])
        log.debug("epoch %d: %s", len(self.epochs), self.epochs[-1])
        if self.best == len(self.epochs) - 1 and self.ranks.is_first:
            self.work.keep_best(self.learner, len(self.epochs) - 1)
        control.should_save = True
        if self._asked(args.device) == ENDS or self.is_over:
            control.should_training_stop = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Finish a checkpoint, which is one from now on, and remove those before it."""
        losses = self.ranks.gather((self._so_far.loss, self._so_far.rows))
        self._saved = monotonic()
        if self.ranks.is_first:
            progress = {"epochs": self.epochs, "losses": losses, "seconds": self._so_far.elapsed}
            self.work.complete(state.global_step, progress, self.best)

    def _asked(self, device: torch.device) -> int:
        signal = self.stop()
        late = self.ranks.is_first and monotonic() - self._saved >= self.options.save_every
        mine = ENDS if signal else SAVES if late else GOES_ON
        # All or none: each process may hear of a signal at another step.
        asked = self.ranks.highest(mine, device)
        if asked == ENDS and not self.is_over:
            self.stopped = signal or "another process was interrupted"
        return asked

    def _estimate(self, state: TrainerState) -> None:
        each = (monotonic() - self._began) / self._steps_here
        left = (state.max_steps - state.global_step) * each
        cuda = torch.cuda.is_available()
        taken = (
            torch.cuda.max_memory_allocated()
            if cuda
            else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        )
        log.warning(
            "note: about %s to an epoch of %d steps, %s for the epochs that are left, without "
            "validation; %.1f GiB of %s taken so far",
            *(lasting(each * self.steps), self.steps, lasting(left)),
            *(taken / (1 << 30), "the GPU's memory" if cuda else "memory"),
        )
