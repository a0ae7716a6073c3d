"""A folder of object storage, to which a run writes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emobatch.storage.address import Address
from emobatch.storage.download import patiently


@dataclass(frozen=True)
class Objects:
    """The objects of a folder.

    Attributes:
        system: fsspec's file system.
        folder: its address.
    """

    system: Any
    folder: Address

    def names(self, folder: str) -> list[str]:
        """Name the objects in a folder of it.

        Args:
            folder: its name.

        Returns:
            What follows that in their addresses, sorted.
        """
        place = self._at(folder)
        before = str(self.system._strip_protocol(place)).rstrip("/") + "/"
        found = patiently(lambda: self.system.find(place))
        return sorted(str(name).removeprefix(before) for name in found)

    def among(self, names: Iterable[str]) -> list[str]:
        """Say which objects there are.

        Args:
            names: of some.

        Returns:
            Those of them, sorted.
        """
        return sorted(name for name in names if self._is_there(name))

    def get(self, name: str, target: Path) -> None:
        """Fetch an object.

        Args:
            name: below the folder.
            target: file to write.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        patiently(lambda: self.system.get_file(self._at(name), str(target)))

    def put(self, name: str, source: Path) -> None:
        """Store a file, wholly or not at all.

        Args:
            name: below the folder.
            source: the file.
        """
        patiently(lambda: self.system.put_file(str(source), self._at(name)), what="stored")

    def write(self, name: str, content: bytes) -> None:
        """Store an object.

        Args:
            name: below the folder.
            content: what is in it.
        """
        patiently(lambda: self.system.pipe_file(self._at(name), content), what="stored")

    def create(self, name: str, content: bytes) -> bool:
        """Store an object where there is none.

        Args:
            name: below the folder.
            content: what is to be in it.

        Returns:
            Whether it was stored.
        """

        def attempt() -> bool:
            try:
                self.system.pipe_file(self._at(name), content, mode="create")
            except Exception:
                # However the service says that there is one: no common class tells it.
                if self.read(name) is None:
                    raise
                return self.read(name) == content  # stored by an attempt that seemed to fail
            return True

        return patiently(attempt, what="stored")

    def read(self, name: str) -> bytes | None:
        """Read an object.

        Args:
            name: below the folder.

        Returns:
            What is in it, None where there is none.
        """

        def attempt() -> bytes | None:
            try:
                return bytes(self.system.cat_file(self._at(name)))
            except FileNotFoundError:
                return None

        return patiently(attempt)

    def age(self, name: str) -> float:
        """Say for how long an object has been as it is.

        Args:
            name: below the folder.

        Returns:
            Seconds, by this machine's clock and the service's.
        """
        written: datetime = patiently(lambda: self.system.modified(self._at(name)))
        return (datetime.now(UTC) - written).total_seconds()

    def remove(self, name: str) -> None:
        """Remove an object, if it is there.

        Args:
            name: below the folder.
        """

        def attempt() -> None:
            with suppress(FileNotFoundError):
                self.system.rm_file(self._at(name))

        patiently(attempt, what="removed")

    def _is_there(self, name: str) -> bool:
        return bool(patiently(lambda: self.system.exists(self._at(name))))

    def _at(self, name: str) -> str:
        return f"{self.folder.text}/{name}"
