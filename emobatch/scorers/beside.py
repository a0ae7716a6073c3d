"""What a model gives beside its classes, of the same pass: attributes, and its encoder's states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import LabelError, OptionError
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.embedding import Embedding
from emobatch.models.names import (
    ATTRIBUTE,
    EMBEDDING_TYPES,
    MEAN_AND_DEVIATION,
    TEXT_ATTRIBUTE,
    kind_of,
)
from emobatch.models.scale import Scale
from emobatch.scorers.columns import FIGURES, HALF_PRECISION, LOGARITHM, Column
from emobatch.scorers.scorer import Row, Setup
from emobatch.tasks.labels import listed
from emobatch.tasks.spellings import ATTRIBUTES, attribute_of

# The branch of each side whose model other checkpoints of attributes are beside.
BESIDE = {"speech": ATTRIBUTE, "text": TEXT_ATTRIBUTE}
TYPES = dict(zip(EMBEDDING_TYPES, (pl.Float32, pl.Float16), strict=True))


@dataclass(frozen=True)
class Beside:
    """What a model gives beside its classes.

    Attributes:
        side: before the names of its columns: ``speech``, ``text`` or ``asr``.
        outputs: place of the output of each attribute.
        scale: that attributes are mapped onto, None to leave them as they are.
        embedding: what is kept of its encoder's states, None for nothing.
        kind: type of an embedding's numbers.
    """

    side: str
    outputs: Mapping[str, int]
    scale: Scale | None = None
    embedding: Embedding | None = None
    kind: str = EMBEDDING_TYPES[0]

    @classmethod
    def of(cls, setup: Setup, side: str) -> Self:
        """Say what is wanted of a side's own model beside its classes.

        Args:
            setup: options, checkpoints and classes.
            side: ``speech``, ``text`` or ``asr``.

        Returns:
            Attributes that no other checkpoint gives, and the embedding where that is wanted.
        """
        outputs = {} if side == "asr" else attributes(setup, side).get(side, {})
        return cls(side, outputs, setup.choice.scale, *_embedding(setup, side))

    @property
    def places(self) -> tuple[int, ...]:
        """Places of outputs that are attributes, in the order of the columns."""
        return tuple(self.outputs.values())

    @property
    def columns(self) -> dict[str, Column]:
        """What it adds to a row."""
        columns = {f"{self.side}_{name}": FIGURES for name in self.outputs}
        if self.embedding is not None:
            kind = pl.Array(TYPES[self.kind], self.embedding.width)
            leeway = LOGARITHM if TYPES[self.kind] == pl.Float32 else HALF_PRECISION
            columns[f"{self.side}_embedding"] = Column(kind, leeway)
        return columns

    def row(self, values: NDArray[np.float64]) -> Row:
        """Make columns of what the model says.

        Args:
            values: (attributes + width of the embedding,).

        Returns:
            Values of the columns.
        """
        row: Row = {
            f"{self.side}_{name}": value if self.scale is None else self.scale.of(value)
            for name, value in zip(self.outputs, values.tolist(), strict=False)
        }
        if self.embedding is not None:
            row[f"{self.side}_embedding"] = values[len(self.outputs) :]
        return row


def attributes(setup: Setup, side: str) -> dict[str, dict[str, int]]:
    """Say which checkpoint gives which attribute.

    Args:
        setup: options, checkpoints and classes.
        side: ``speech`` or ``text``.

    Returns:
        By branch the place of each attribute's output. A checkpoint that is the side's own model
        as well is run once, as that; of that model's attributes those are left out that another
        checkpoint was named for.

    Raises:
        LabelError: if a checkpoint has none, or two outputs of one.
        OptionError: if two checkpoints give the same.
    """
    own = setup.found.get(side) if setup.choice.emotional_model is None or side == "text" else None
    given: dict[str, dict[str, int]] = {}
    by: dict[str, Checkpoint] = {}
    for branch, checkpoint in setup.found.items():
        if kind_of(branch) != BESIDE[side]:
            continue
        is_own = own is not None and checkpoint.folder.resolve() == own.folder.resolve()
        for name, place in _outputs(checkpoint).items():
            if name in by:
                raise OptionError(
                    f"{by[name].name} and {checkpoint.name} both give {name}; give "
                    f"{checkpoint.option} checkpoints of different attributes"
                )
            by[name] = checkpoint
            given.setdefault(side if is_own else branch, {})[name] = place
    if own is not None:
        for name, place in _read(own).items():
            if name not in by:
                given.setdefault(side, {})[name] = place
    return {branch: _ordered(outputs) for branch, outputs in given.items()}


def _embedding(setup: Setup, side: str) -> tuple[Embedding | None, str]:
    choice = setup.choice
    if not (choice.asr_embeddings if side == "asr" else choice.embeddings):
        return None, choice.embedding_type
    deviation = choice.pooling == MEAN_AND_DEVIATION
    states = setup.found[side].states()
    return Embedding(choice.layer, deviation, states), choice.embedding_type


def _outputs(checkpoint: Checkpoint) -> dict[str, int]:
    outputs = _read(checkpoint)
    if not outputs:
        labels = checkpoint.labels()
        raise LabelError(
            f"{checkpoint.name}: none of its outputs ({listed(labels)}) is an attribute; name "
            f"them {', '.join(ATTRIBUTES)} under id2label in its config.json, in their order, or "
            f"give {checkpoint.option} another"
        )
    return outputs


def _read(checkpoint: Checkpoint) -> dict[str, int]:
    outputs: dict[str, int] = {}
    for place, label in enumerate(checkpoint.labels()):
        name = attribute_of(label)
        if name in outputs:
            raise LabelError(
                f"{checkpoint.name}: two of its outputs are {name}; mend id2label in its "
                "config.json"
            )
        if name is not None:
            outputs[name] = place
    return outputs


def _ordered(outputs: Mapping[str, int]) -> dict[str, int]:
    return {name: outputs[name] for name in ATTRIBUTES if name in outputs}
