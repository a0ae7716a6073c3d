"""Clips whose audio is elsewhere, or in an archive, made clips of files on this machine."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Self

from emobatch.errors import AudioError, StorageError
from emobatch.manifests import audio
from emobatch.manifests.archives import Archives
from emobatch.manifests.clip import Clip
from emobatch.storage.access import NO_ACCESS, Access
from emobatch.storage.address import Address
from emobatch.storage.cache import Cache, Lease
from emobatch.storage.download import Described, Download
from emobatch.storage.systems import Systems

# Files that are remembered as their servers described them: rows of one file ask but once.
REMEMBERED = 4096


@dataclass(frozen=True)
class Fetched:
    """A clip that is here.

    Attributes:
        clip: of a file on this machine, or a part of one.
        lease: that keeps the file there, None where nobody would throw it away.
    """

    clip: Clip
    lease: Lease | None = None

    def release(self) -> None:
        """Let go of the file, once it is read."""
        if self.lease is not None:
            self.lease.release()


class Fetcher:
    """Fetches files that rows name. May be used from several threads."""

    def __init__(self, access: Access = NO_ACCESS) -> None:
        """Fetch nothing yet.

        Args:
            access: what may be fetched, and where it is kept.
        """
        self.access = access
        self._archives = Archives()
        self._download = Download(Systems(access), access.cache_bytes)
        self._lock = Lock()
        self._cache: Cache | None = None
        self._described: OrderedDict[Address, Described] = OrderedDict()

    def __enter__(self) -> Self:
        """Keep what is fetched."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Fetch nothing more."""
        self.close()

    def close(self) -> None:
        """Fetch nothing more; what is being fetched is dropped."""
        self._download.stop()
        with self._lock:
            if self._cache is not None:
                self._cache.close()

    def fetch(self, clip: Clip) -> Fetched:
        """Make a clip one of a file here.

        Args:
            clip: as a row has it.

        Returns:
            The clip, to be released once it is read.

        Raises:
            AudioError: if it can't be had, or may not be.
        """
        if clip.is_here or clip.trouble is not None:
            return Fetched(clip)
        with audio.explained():
            lease = None
            if isinstance(clip.file, Address):
                lease = self._leased(clip.file, clip)
                clip = replace(clip, file=lease.path, confines=None)
            try:
                if clip.member is not None:
                    part = self._archives.part(clip.place(), clip.member)
                    clip = replace(clip, part=part)
            except BaseException:
                Fetched(clip, lease).release()
                raise
            return Fetched(clip, lease)

    @contextmanager
    def here(self, clip: Clip) -> Iterator[Clip]:
        """Have a clip here for a while.

        Args:
            clip: as a row has it.

        Yields:
            The clip, of a file on this machine.

        Raises:
            AudioError: if it can't be had, or may not be.
        """
        fetched = self.fetch(clip)
        try:
            yield fetched.clip
        finally:
            fetched.release()

    @contextmanager
    def file(self, address: Address) -> Iterator[Path]:
        """Have a file here for a while that the user named, and no row.

        Args:
            address: of the file.

        Yields:
            Its copy.

        Raises:
            StorageError: if it can't be had.
        """
        lease = self._got(address)
        try:
            yield lease.path
        finally:
            lease.release()

    def names(self, folder: Address) -> list[str]:
        """List all files below a folder that the user named.

        Args:
            folder: its address.

        Returns:
            Their paths relative to it.

        Raises:
            StorageError: if it can't be listed.
        """
        return self._download.names(folder)

    def _leased(self, address: Address, clip: Clip) -> Lease:
        try:
            self.access.check(address)
            if isinstance(clip.confines, Address) and not address.is_in(clip.confines):
                raise StorageError(f"outside {clip.confines}, which --confine forbids")
            if isinstance(clip.confines, Path):
                raise StorageError(f"outside {clip.confines}, which --confine forbids")
            return self._got(address)
        except StorageError as error:
            raise AudioError(str(error)) from error

    def _got(self, address: Address) -> Lease:
        described = self._describe(address)
        with self._lock:
            if self._cache is None:
                self._cache = Cache(self.access.cache, self.access.cache_bytes)
        # With its ending, by which an archive is known to be compressed.
        return self._cache.get(
            f"{address}\n{described.version}",
            "".join(re.findall(r"\.\w{1,8}$", address.name)),
            lambda target: self._download.fetch(address, target, described.size),
        )

    def _describe(self, address: Address) -> Described:
        with self._lock:
            if address in self._described:
                return self._described[address]
        described = self._download.describe(address)
        with self._lock:
            self._described[address] = described
            if len(self._described) > REMEMBERED:
                self._described.popitem(last=False)
        return described
