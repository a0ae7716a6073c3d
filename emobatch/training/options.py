"""What a user chooses of a training; help texts list it without a slow import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from emobatch.errors import OptionError
from emobatch.models.names import AUTO
from emobatch.training.losses.registry import LOSSES, OF_ATTRIBUTES, OF_CATEGORIES

SPEECH, TEXT = "speech", "text"
# transformers' own, and that of `emobatch.models.heads.attentive`.
LINEAR, ATTENTIVE = "linear", "attentive"
HEADS = (LINEAR, ATTENTIVE)
FREEZES = {SPEECH: ("convolutions", "encoder", "none"), TEXT: ("encoder", "none")}
# Input as the base wants it, or by the mean and the deviation of the audio that is trained on.
OF_BASE, OF_TRAIN = "base", "train"
# What the best epoch is told by, of categories and of attributes; the first is usual.
BY_CATEGORIES, BY_ATTRIBUTES = ("UA", "F1", "WA"), ("CCC",)
PRECISIONS = (AUTO, "fp32", "bf16", "fp16")
# What doesn't decide the weights, or is told of elsewhere, as the base is.
ASIDE = ("base", "save_every", "offline")


@dataclass(frozen=True)
class Options:
    """How a checkpoint is trained.

    Attributes:
        branch: ``speech`` or ``text``.
        base: hub name or folder of what it begins with.
        attributes: numbers that are learned; none for categories.
        head: what is laid over the base, one of :data:`HEADS`.
        freeze: what of the base stays as it is.
        normalise: of audio: ``base`` or ``train``.
        loss: see :data:`emobatch.training.losses.registry.LOSSES`; None for the usual one.
        class_weights: ``balanced`` or ``none``; None for what is usual with the loss.
        gamma: of the focal loss.
        attention_l2: what the squares of an attentive head's matrix count beside the loss.
        epochs: passes over the rows, at most.
        learning_rate: the highest.
        warmup: share of all steps in which it rises to that.
        weight_decay: of AdamW.
        clip: the norm that gradients are cut down to; 0 leaves them.
        accumulate: batches to a step.
        batch: padded seconds to a batch, or padded tokens.
        crop: seconds, or tokens, of a row that a step is given at most.
        best_by: the figure that says which epoch is the best; None for the usual one.
        patience: epochs without a better one after which it ends; None for all epochs.
        seed: of weights, order and crops.
        device: ``auto``, ``cuda`` or ``cpu``.
        precision: ``auto`` is mixed precision on a GPU and single on the CPU.
        clean: steps that transcripts go through.
        language: of the transcripts, for these steps.
        save_every: seconds between two saves within an epoch, what a kill can cost.
        offline: look only at what is on this machine.
    """

    branch: str
    base: str
    attributes: tuple[str, ...] = ()
    head: str = LINEAR
    freeze: str = "none"
    normalise: str = OF_BASE
    loss: str | None = None
    class_weights: str | None = None
    gamma: float = 2.0
    attention_l2: float = 1e-4
    epochs: int = 10
    learning_rate: float = 1e-5
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    accumulate: int = 1
    batch: float = 120.0
    crop: float = 30.0
    best_by: str | None = None
    patience: int | None = None
    seed: int = 0
    device: str = AUTO
    precision: str = AUTO
    clean: tuple[str, ...] = ()
    language: str = "en"
    save_every: float = 600.0
    offline: bool = False

    def __post_init__(self) -> None:
        """Refuse options that make no sense together.

        Raises:
            OptionError: names the option.
        """
        what = "attributes" if self.attributes else "categories"
        if LOSSES[self.chosen_loss].of_attributes != bool(self.attributes):
            fitting = [n for n in LOSSES if LOSSES[n].of_attributes == bool(self.attributes)]
            raise OptionError(
                f"--loss {self.loss} is not for {what}; give {' or '.join(fitting)}, or "
                f"{'leave --attributes out' if self.attributes else 'name --attributes'}"
            )
        if self.attributes and self.class_weights is not None:
            raise OptionError("--class-weights are of classes; leave them out, or --attributes")
        if self.chosen_best not in self._bests:
            raise OptionError(
                f"--best-by {self.best_by} is not of {what}; give {' or '.join(self._bests)}"
            )
        if len(set(self.attributes)) < len(self.attributes):
            raise OptionError("--attributes: one is named twice; name each once")

    @property
    def chosen_loss(self) -> str:
        """Name of the loss."""
        return self.loss or (OF_ATTRIBUTES if self.attributes else OF_CATEGORIES)

    @property
    def chosen_best(self) -> str:
        """The figure that the best epoch is told by."""
        return self.best_by or self._bests[0]

    @property
    def _bests(self) -> Sequence[str]:
        return BY_ATTRIBUTES if self.attributes else BY_CATEGORIES

    def as_dict(self) -> dict[str, Any]:
        """What is stored with the checkpoint, and held against the next run: what decides it."""
        chosen = {"loss": self.chosen_loss, "best_by": self.chosen_best}
        said = {**asdict(self), **chosen}
        return {name: value for name, value in said.items() if name not in ASIDE}
