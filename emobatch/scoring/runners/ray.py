"""Chunks on the nodes of a Ray cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from emobatch.errors import DeviceError, OptionError, first_line
from emobatch.scoring.runners.ray_crew import Crew
from emobatch.scoring.runners.ray_worker import find_device
from emobatch.scoring.runners.runner import Runner, Workers

if TYPE_CHECKING:
    from emobatch.models.choice import Choice
    from emobatch.models.devices import Device
    from emobatch.scoring.work import Chunk, Work


@dataclass(frozen=True)
class Share:
    """What each worker takes of the cluster.

    Attributes:
        cpus: cores.
        gpus: GPUs.
        workers: how many there are to be, None for as many as there is room for.
    """

    cpus: float
    gpus: float
    workers: int | None

    @classmethod
    def of(cls, workers: Workers, choice: Choice) -> Share:
        """Fill in what the user left open.

        Args:
            workers: what the user said.
            choice: models and options.

        Returns:
            The share.

        Raises:
            OptionError: if a GPU is insisted on, and none given.
        """
        gpus = workers.gpus_per_worker
        if gpus is None:
            gpus = 1.0 if choice.device == "cuda" else 0.0
        if choice.device == "cuda" and not gpus:
            raise OptionError("--device cuda: give its workers a part of one, --gpus-per-worker")
        return cls(workers.cpus_per_worker or 1.0, gpus, workers.workers)


class RayRunner(Runner):
    """Hands chunks of rows to workers all over a cluster, and takes the scored rows back.

    The manifest, the lock, the saved work and the table are this process's alone: the nodes only
    need the models and the audio.
    """

    takes = frozenset({"workers", "cpus_per_worker", "gpus_per_worker", "address"})

    def device(self, choice: Choice) -> Device:
        """Choose where models run, as one of the workers would.

        Args:
            choice: models and options.

        Returns:
            The workers' device.

        Raises:
            DeviceError: if they have none, or there is no cluster.
        """
        share = Share.of(self.workers, choice)
        if not share.gpus:
            _installed()  # or else it fails now, and not after what takes long
            return find_device(choice, share.cpus, share.gpus)
        with connected(self.workers.address) as ray:
            ask = ray.remote(find_device).options(num_cpus=share.cpus, num_gpus=share.gpus)
            try:
                device: Device = ray.get(ask.remote(choice, share.cpus, share.gpus))
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            return device

    def run(self, work: Work, firsts: Iterable[int]) -> Iterator[Chunk]:
        """Score chunks on the cluster.

        Args:
            work: what is to be scored, and how.
            firsts: number of each chunk's first row.

        Yields:
            The chunks in order.
        """
        order = list(firsts)
        early: dict[int, Chunk] = {}
        place = 0
        for chunk in self.as_done(work, order):
            early[chunk.first] = chunk
            while place < len(order) and order[place] in early:
                yield early.pop(order[place])
                place += 1

    def as_done(self, work: Work, firsts: Iterable[int]) -> Iterator[Chunk]:
        """Score chunks on the cluster.

        Args:
            work: what is to be scored, and how.
            firsts: number of each chunk's first row.

        Yields:
            The chunks, each as soon as it is done.
        """
        share = Share.of(self.workers, work.recipe.plan.setup.choice)
        work.decoders.close()  # each worker has its own
        with connected(self.workers.address) as ray:
            crew = Crew(ray, work, share.cpus, share.gpus, share.workers)
            try:
                yield from crew.score(firsts)
            finally:
                crew.dismiss()


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Join a Ray cluster.

    Args:
        address: of it; None for that of RAY_ADDRESS, the one on this machine, or else a new one.

    Yields:
        The module ``ray``.

    Raises:
        DeviceError: if Ray isn't installed, or there is no such cluster.
    """
    ray = _installed()
    if ray.is_initialized():
        yield ray  # who joined it leaves it
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    trouble: list[Exception] = []
    joined, left = Event(), Event()

    def join() -> None:
        try:
            ray.init(
                address=address,
                log_to_driver=False,
                configure_logging=False,
                logging_level=logging.ERROR,
            )
        except Exception as error:  # Ray has errors of many kinds for this
            trouble.append(error)
        joined.set()
        left.wait()

    # In a thread that isn't the main one, where Ray leaves the process's signals alone. It stays:
    # the processes of a cluster that Ray begins here end with the thread that began them.
    Thread(target=join, name="ray", daemon=True).start()
    joined.wait()
    if trouble:
        left.set()
        where = "a Ray cluster" if address is None else f"--address {address}"
        raise DeviceError(
            f"{where}: can't be joined: {first_line(trouble[0])}; `ray status` says whether it runs"
        ) from trouble[0]
    try:
        yield ray
    finally:
        ray.shutdown()
        left.set()


def _installed() -> Any:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise DeviceError(
            "--engine ray: Ray isn't installed; pip install 'emobatch[ray]', here and on all nodes"
        ) from error
    return ray
