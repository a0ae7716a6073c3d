"""A kind of speech checkpoint: how it is recognised, what its outputs are called, how it is loaded.

A new kind is a class in a file of its own and a line in
:data:`emobatch.models.heads.registry.HEADS`. What is said of a folder here needs no torch.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from emobatch.models.heads.networks import Headed

CONFIG = "config.json"
# What transformers calls outputs that nobody has named.
UNNAMED = "LABEL_"
# In the order of the challenge of MSP-Podcast, whose attributes others' checkpoints follow.
MSP_ATTRIBUTES = ("arousal", "dominance", "valence")
MSP_EMOTIONS = (
    *("Angry", "Sad", "Happy", "Surprise"),
    *("Fear", "Disgust", "Contempt", "Neutral"),
)


@dataclass(frozen=True)
class Folder:
    """A checkpoint's folder.

    Attributes:
        path: where it is.
    """

    path: Path

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Its ``config.json``; empty where there is none, or it says nothing."""
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads((self.path / CONFIG).read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
        return {}

    @property
    def architectures(self) -> tuple[str, ...]:
        """What it says it is."""
        named = self.config.get("architectures")
        return tuple(map(str, named)) if isinstance(named, list) else ()

    @property
    def named_outputs(self) -> list[str]:
        """What it calls its outputs, in their order; nothing where that is no name."""
        names = self.config.get("id2label")
        if not isinstance(names, Mapping):
            return []
        labels = [str(names[output]) for output in sorted(names, key=int)]
        return [] if all(label.startswith(UNNAMED) for label in labels) else labels


class Head(ABC):
    """A kind of speech checkpoint that transformers has no class for.

    Attributes:
        about: what it is, for lists and messages.
        has_extractor: whether its folder says how audio becomes input, in
            ``preprocessor_config.json``.
    """

    about: ClassVar[str]
    has_extractor: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def claims(cls, folder: Folder) -> bool:
        """Whether a folder says that it is of this kind.

        Args:
            folder: a checkpoint's.

        Returns:
            True also where it lacks a part.
        """

    @classmethod
    @abstractmethod
    def check(cls, folder: Folder) -> None:
        """Refuse a folder of this kind that lacks a part, as far as shows without its weights.

        Args:
            folder: that it claims.

        Raises:
            ValueError: names the part.
        """

    @classmethod
    @abstractmethod
    def labels(cls, folder: Folder) -> list[str]:
        """Name the outputs.

        Args:
            folder: that it claims.

        Returns:
            (outputs,) names of classes and attributes.

        Raises:
            ValueError: if nothing says what they are.
        """

    @classmethod
    def states(cls, folder: Folder) -> int:
        """Say how many numbers describe a frame.

        Args:
            folder: that it claims.

        Returns:
            The size of its encoder's hidden states.
        """
        return int(folder.config["hidden_size"])

    @classmethod
    @abstractmethod
    def load(cls, folder: Folder, outputs: int) -> tuple[Headed, Any]:
        """Load the weights.

        Args:
            folder: that it claims.
            outputs: how many there are.

        Returns:
            The network on the CPU, and what makes its input of samples: a feature extractor as
            transformers has them.

        Raises:
            ValueError: if it lacks a part, which is named.
        """
