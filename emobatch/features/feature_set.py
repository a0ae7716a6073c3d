"""What every set of features does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from emobatch.errors import DeviceError
from emobatch.manifests.blocks import Samples

INSTALL = "--set {} needs {}, which is not installed; {}"


class FeatureSet(ABC):
    """A set of features of a clip.

    A new one is a subclass in a file of its own and a line in
    :data:`emobatch.features.registry.FEATURE_SETS`.

    Attributes:
        name: what ``--set`` calls it, and its columns begin with, before a ``_``.
        title: what it is, and where it comes from.
        library: what computes it.
        remedy: how to install that.
        note: what a user must know of it, empty for nothing.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    library: ClassVar[str] = ""
    remedy: ClassVar[str] = ""
    note: ClassVar[str] = ""

    def __init__(self) -> None:
        """Load the library.

        Raises:
            DeviceError: if it isn't installed; says how to install it.
        """
        try:
            self.load()
        except ImportError as error:
            raise DeviceError(INSTALL.format(self.name, self.library, self.remedy)) from error

    @abstractmethod
    def load(self) -> None:
        """Import what is needed, and make it ready.

        Raises:
            ImportError: if it isn't installed.
        """

    @property
    @abstractmethod
    def features(self) -> Sequence[str]:
        """Names of the features, in order."""

    @abstractmethod
    def values(self, samples: Samples) -> Sequence[float]:
        """Compute the features of a clip.

        Args:
            samples: (samples,) float32, 16 kHz, mono, full scale ±1; all of the clip.

        Returns:
            A number for each feature; one that isn't finite where there is none.
        """

    @property
    def columns(self) -> list[str]:
        """What its columns are called."""
        return [f"{self.name}_{feature}" for feature in self.features]
