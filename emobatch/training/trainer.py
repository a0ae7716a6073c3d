"""transformers' Trainer, given our batches and our losses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainingArguments

from emobatch.errors import TrainingError
from emobatch.training import storing
from emobatch.training.batches import Places
from emobatch.training.course import Course
from emobatch.training.losses.loss import Loss
from emobatch.training.options import Options
from emobatch.training.ranks import Ranks

# Seconds that processes wait for the first one, which decodes all files before the first epoch.
LONGEST_WAIT = 7 * 86_400


def arguments(folder: Path, options: Options, ranks: Ranks, device: str) -> TrainingArguments:
    """Say how transformers trains; with several processes, they find each other here.

    Args:
        folder: of saved work.
        options: of the user.
        ranks: processes.
        device: ``cuda``, ``mps`` or ``cpu``.

    Returns:
        The arguments: what is saved, measured and said is left to :class:`Course`.
    """
    precision = _precision(options.precision, device)
    made = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=options.epochs,
        learning_rate=options.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=options.warmup,
        weight_decay=options.weight_decay,
        max_grad_norm=options.clip,
        gradient_accumulation_steps=options.accumulate,
        optim="adamw_torch",
        seed=options.seed,
        use_cpu=device == "cpu",
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        average_tokens_across_devices=False,
        ddp_backend="gloo" if device == "cpu" and ranks.count > 1 else None,
        ddp_find_unused_parameters=True,  # layers that are dropped at random have no gradient
        ddp_timeout=LONGEST_WAIT,
    )
    if made.n_gpu > 1:
        made._n_gpu = 1  # several are for several processes; torch's own threads are slower
    return made


def _precision(wanted: str, device: str) -> str:
    if wanted != "auto":
        return wanted
    if device != "cuda":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


class EmotionTrainer(Trainer):
    """Trains a learner; :class:`Course` says what happens when."""

    def __init__(self, course: Course, loss: Loss, args: TrainingArguments) -> None:
        """Get ready.

        Args:
            course: of the training, with its model and its examples.
            loss: what is made small.
            args: see :func:`arguments`.
        """
        super().__init__(
            model=course.learner.network,
            args=args,
            train_dataset=course.examples,
            callbacks=[course],
        )
        self.remove_callback(PrinterCallback)
        self.course, self.loss = course, loss

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches in the order of the epoch; those that were trained on can be passed over."""
        return DataLoader(
            self.course.examples,
            batch_sampler=Places(self.course.batches),
            collate_fn=self._inputs,
            generator=torch.Generator(),  # or its iterators would draw from the model's numbers
        )

    def _inputs(self, batch: list[Any]) -> dict[str, torch.Tensor]:
        [(rows, examples)] = batch
        targets = torch.from_numpy(self.course.wanted[rows])
        return {**self.course.learner.inputs(examples), "targets": targets}

    def _save_checkpoint(self, *given: Any, **named: Any) -> None:
        # Nothing else of transformers' tells a full disk from what goes wrong in training.
        with storing.explained(self.course.work.folder):
            super()._save_checkpoint(*given, **named)

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any
    ) -> torch.Tensor:
        """Measure a batch.

        Args:
            model: the network, maybe wrapped.
            inputs: of the batch.

        Returns:
            The loss, with what the learner adds to it.

        Raises:
            TrainingError: if it is no number, or memory is full.
        """
        targets = inputs.pop("targets")
        learner = self.course.learner
        try:
            found = self.loss(learner.logits(model, inputs), targets)
        except torch.cuda.OutOfMemoryError as error:
            raise TrainingError(
                "the GPU's memory is full; give a lower --batch-seconds, or --batch-tokens, and "
                "more batches to a step with --accumulate"
            ) from error
        self.course.heard(float(found.detach()), len(targets))
        return found + learner.penalty()
