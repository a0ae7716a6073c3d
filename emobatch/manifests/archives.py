"""Audio inside of tar archives, as WebDataset has it: read where it is, never unpacked.

A member's name is text to be looked up and never a path, so that it may be as hostile as it likes:
absolute, with ``..``, a link, a device. Only plain files of the archive itself are read.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from emobatch.errors import AudioError

# `archive.tar!member.wav`; those that are compressed are known too, to say what is wrong.
MEMBER = re.compile(r"(.*?\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz))!(.+)", re.DOTALL | re.IGNORECASE)
PACKED = (".gz", ".bz2", ".xz", ".zst", ".tgz", ".tbz", ".tbz2", ".txz")
# Archives whose indices are kept: rows of one mostly follow each other.
MOST_KEPT = 8


@dataclass(frozen=True)
class Part:
    """Bytes of a file that are a file of their own.

    Attributes:
        file: that they are in.
        offset: at which byte they begin.
        size: how many they are.
    """

    file: Path
    offset: int
    size: int

    def open(self) -> io.BufferedReader:
        """Open it, as if nothing were around it."""
        return io.BufferedReader(_Window(self))


class _Window(io.RawIOBase):
    def __init__(self, part: Part) -> None:
        super().__init__()
        self._part = part
        self._file = part.file.open("rb", buffering=0)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._part.size}
        if begin[whence] + offset < 0:
            raise ValueError("before the beginning of the file")
        self._position = begin[whence] + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        left = max(0, self._part.size - self._position)
        self._file.seek(self._part.offset + self._position)
        count = self._file.readinto(memoryview(buffer)[:left]) or 0
        self._position += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass(frozen=True)
class Index:
    """What is in an archive.

    Attributes:
        members: plain files by name; of two of one name the later one, as tar itself has it.
        others: what members are that aren't plain files, by name.
        doubled: how many files have the name of another one after them.
        trouble: what is wrong behind the last of them, None where nothing is.
    """

    members: Mapping[str, tuple[int, int]]
    others: Mapping[str, str]
    doubled: int
    trouble: str | None


class Archives:
    """Indices of archives, each made once and kept for a while. Used from several threads."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = Lock()
        self._kept: OrderedDict[tuple[Path, int, int], Index] = OrderedDict()

    def part(self, file: Path, member: str) -> Part:
        """Find a member.

        Args:
            file: the archive.
            member: name of the member.

        Returns:
            Where it is.

        Raises:
            AudioError: if it isn't there, or is no plain file.
            OSError: if the archive can't be read.
        """
        index = self.index(file)
        if member in index.members:
            return Part(file, *index.members[member])
        if member in index.others:
            raise AudioError(f"is {index.others[member]} in its archive, which isn't followed")
        if index.trouble is not None:
            raise AudioError(
                f"not in what can be read of its archive, which is {index.trouble} after "
                f"{len(index.members)} files"
            )
        raise AudioError("no such file in its archive")

    def index(self, file: Path) -> Index:
        """Find out what is in an archive.

        Args:
            file: the archive.

        Returns:
            What is in it.

        Raises:
            AudioError: if it is compressed, or no archive.
            OSError: if it can't be read.
        """
        if file.name.lower().endswith(PACKED):
            raise AudioError(
                "its archive is compressed, so that nothing can be found in it without reading all "
                "before it; decompress it, as by gunzip"
            )
        found = file.stat()
        key = (file, found.st_mtime_ns, found.st_size)
        with self._lock:  # whoever wants the same meanwhile has it when this is done
            if key not in self._kept:
                self._kept[key] = _indexed(file)
                if len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def split(path: str) -> tuple[str, str | None]:
    """Part a path into that of a file and the name of what is inside of that.

    Args:
        path: as a manifest has it.

    Returns:
        The file's path, and the name of an archive's member, None for a file as it is.

    Examples:
        >>> split("shards/0.tar!a/1.wav"), split("a.wav")
        (('shards/0.tar', 'a/1.wav'), ('a.wav', None))
    """
    found = MEMBER.fullmatch(path) if "!" in path else None
    return (path, None) if found is None else (found[1], found[2])


def _indexed(file: Path) -> Index:
    members: dict[str, tuple[int, int]] = {}
    others: dict[str, str] = {}
    doubled, trouble, length = 0, None, file.stat().st_size
    try:
        with tarfile.open(file, "r:", encoding="utf-8", errors="replace") as archive:
            for member in _members(archive):
                if member.offset_data + member.size > length:
                    raise tarfile.ReadError("it ends too soon")
                if not member.isreg() or member.issparse():
                    others[member.name] = _kind(member)
                    continue
                doubled += member.name in members
                members[member.name] = (member.offset_data, member.size)
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        if not members and not others:
            raise AudioError(f"its archive is no tar file: {error}") from error
        trouble = f"damaged ({error})"
    return Index(members, others, doubled, trouble)


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    before = -1
    while (member := archive.next()) is not None:
        # Damaged sizes have been known to lead back, and round and round.
        if archive.offset <= before or member.size < 0:
            raise tarfile.ReadError("a size that can't be")
        before = archive.offset
        archive.members.clear()  # type: ignore[attr-defined] # else it keeps all that it has read
        yield member


def _kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "a link"
    if member.isdir():
        return "a folder"
    return "a device" if member.isdev() else "no plain file"
