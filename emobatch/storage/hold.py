"""A sign to others that a run writes to a folder of objects, where there are no locks."""

from __future__ import annotations

import json
import os
import platform
import secrets
from dataclasses import dataclass, field

from emobatch.errors import HeldError
from emobatch.storage.objects import Objects

# After how many seconds without a sign of life a run is taken for gone.
GONE = 300.0


@dataclass
class Hold:
    """An object that is there as long as a run writes.

    Attributes:
        objects: the folder.
        name: of the object.
        token: what is in it, by which the run knows its own.
    """

    objects: Objects
    name: str
    token: bytes = field(
        default_factory=lambda: json.dumps(
            {"host": platform.node(), "process": os.getpid(), "run": secrets.token_hex(8)}
        ).encode()
    )

    def take(self) -> None:
        """Hold it.

        Raises:
            HeldError: if another run does.
        """
        if self.objects.create(self.name, self.token):
            return
        other, age = self.objects.read(self.name), self.objects.age(self.name)
        if other is not None and age < GONE:
            raise HeldError(
                f"{self.objects.folder}/{self.name}: another run is writing there, "
                f"{_who(other)}; where that was killed, this one may begin {GONE - age:.0f} s "
                "from now, else give it another -o"
            )
        self.objects.remove(self.name)
        if not self.objects.create(self.name, self.token):
            raise HeldError(f"{self.objects.folder}/{self.name}: another run has just begun there")

    def renew(self) -> bool:
        """Give a sign of life.

        Returns:
            False where another run took this one for gone.
        """
        if self.objects.read(self.name) != self.token:
            return False
        self.objects.write(self.name, self.token)
        return True

    def release(self) -> None:
        """Let others write there."""
        if self.objects.read(self.name) == self.token:
            self.objects.remove(self.name)


def _who(content: bytes) -> str:
    try:
        said = json.loads(content)
        return f"process {said['process']} on {said['host']}"
    except (ValueError, LookupError, TypeError):
        return "nobody knows which"
