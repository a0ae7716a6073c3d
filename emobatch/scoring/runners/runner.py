"""Where the chunks of a manifest are scored.

A new runner is a class in a file of its own and a line in
:data:`emobatch.scoring.runners.registry.RUNNERS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from emobatch.errors import OptionError

if TYPE_CHECKING:
    from emobatch.models.choice import Choice
    from emobatch.models.devices import Device
    from emobatch.scoring.work import Chunk, Work


@dataclass(frozen=True)
class Workers:
    """What a runner scores with, as far as the user says; None where the runner decides.

    Attributes:
        workers: processes that load models of their own.
        cpus_per_worker: cores to each.
        gpus_per_worker: GPUs to each, below 1 where several share one.
        address: of the cluster.
    """

    workers: int | None = None
    cpus_per_worker: float | None = None
    gpus_per_worker: float | None = None
    address: str | None = None

    def given(self) -> list[str]:
        """Name the options that were given."""
        return [name for name, value in vars(self).items() if value is not None]


AS_IT_LIKES = Workers()


class Runner(ABC):
    """Has chunks scored, and hands them on in order.

    Attributes:
        takes: those fields of :class:`Workers` that it heeds.
        workers: what it is to score with.
    """

    takes: ClassVar[frozenset[str]] = frozenset()
    workers: Workers = AS_IT_LIKES

    @classmethod
    def of(cls, workers: Workers, engine: str) -> Self:
        """Make a runner.

        Args:
            workers: what it is to score with.
            engine: what it is called.

        Returns:
            The runner.

        Raises:
            OptionError: if it has no use for an option that was given.
        """
        for name in workers.given():
            if name not in cls.takes:
                option = f"--{name.replace('_', '-')}"
                raise OptionError(f"{option}: --engine {engine} has no use for it; leave it out")
        runner = cls()
        runner.workers = workers
        return runner

    def device(self, choice: Choice) -> Device:
        """Choose where models run.

        Args:
            choice: models and options.

        Returns:
            The device of those who score, by default this process.

        Raises:
            DeviceError: if the device insisted on isn't there.
        """
        # torch, which takes seconds: after all that can fail fast.
        from emobatch.models import devices

        return devices.choose(choice.device, choice.precision)

    def as_done(self, work: Work, firsts: Iterable[int]) -> Iterator[Chunk]:
        """Score chunks, for whoever doesn't mind their order.

        Args:
            work: as for :meth:`run`.
            firsts: number of each chunk's first row.

        Yields:
            The chunks, each as soon as it is done.
        """
        yield from self.run(work, firsts)

    @abstractmethod
    def run(self, work: Work, firsts: Iterable[int]) -> Iterator[Chunk]:
        """Score chunks.

        Args:
            work: what is to be scored. Its recipe is opened where that happens, in another
                process or on another machine if need be; its chunks are read, and its progress is
                told, in this one.
            firsts: number of each chunk's first row.

        Yields:
            The chunks in the order of ``firsts``.

        Raises:
            EmobatchError: if models can't be loaded, or a device or a library is missing.
        """
