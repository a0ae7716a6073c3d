"""The processes of a training that ``torchrun`` or ``accelerate launch`` started; mostly one."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist

Value = TypeVar("Value")


@dataclass(frozen=True)
class Ranks:
    """This process among those of a training.

    Attributes:
        number: of this one, from 0.
        count: how many there are.
    """

    number: int = 0
    count: int = 1

    @classmethod
    def of_environment(cls) -> Ranks:
        """Read what whoever started the processes tells them."""
        return cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))

    @property
    def is_first(self) -> bool:
        """Whether it is this one that writes, and says things."""
        return self.number == 0

    @contextmanager
    def one_voice(self) -> Iterator[None]:
        """Let only the first process say things.

        Yields:
            Nothing.
        """
        logger = logging.getLogger("emobatch")
        before = logger.level
        if not self.is_first:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(before)

    def share(self, value: Value) -> Value:
        """Give all processes what the first one has.

        Args:
            value: of this one.

        Returns:
            That of the first.
        """
        if self.count == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values)
        return values[0]

    def gather(self, value: Value) -> list[Value]:
        """Give all processes what each has.

        Args:
            value: of this one.

        Returns:
            (processes,) in their order.
        """
        if self.count == 1:
            return [value]
        values: list[Value] = [value] * self.count
        dist.all_gather_object(values, value)
        return values

    def highest(self, value: int, device: torch.device) -> int:
        """Agree on the highest of numbers.

        Args:
            value: of this process.
            device: where it computes.

        Returns:
            The same in all.
        """
        if self.count == 1:
            return value
        found = torch.tensor(value, device=device)
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found.item())
