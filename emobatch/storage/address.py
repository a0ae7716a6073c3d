"""Addresses of files that aren't on this machine, as ``s3://bucket/clips/7.wav``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from emobatch.errors import StorageError

# How an address begins, whether or not it is of a scheme that is read.
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
WEB = ("https", "http")
SCHEMES = (*WEB, "s3", "gs", "hf")
# Names before the path that nothing leads out of: a host or a bucket; of the hub, kind, owner and
# repository.
OWN_NAMES = {"hf": 3}


@dataclass(frozen=True)
class Address:
    """Where a file or a folder is, that isn't on this machine.

    Attributes:
        text: ``scheme://host/path``, the scheme in small letters.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Args:
            text: as it was written.

        Returns:
            The address.

        Raises:
            StorageError: if it isn't one, or of a scheme that isn't read.

        Examples:
            >>> Address.parse("S3://bucket/a.wav").text
            's3://bucket/a.wav'
            >>> Address.parse("ftp://host/a.wav")
            Traceback (most recent call last):
            emobatch.errors.StorageError: ftp:// isn't read; https, http, s3, gs and hf are
        """
        scheme, _, rest = text.strip().partition("://")
        if scheme.lower() not in SCHEMES:
            known = f"{', '.join(SCHEMES[:-1])} and {SCHEMES[-1]}"
            raise StorageError(f"{scheme}:// isn't read; {known} are")
        if not rest.strip("/") or rest.startswith("/"):
            raise StorageError(f"{text} is no whole address, as {scheme.lower()}://name/file")
        return cls(f"{scheme.lower()}://{rest}")

    @property
    def scheme(self) -> str:
        """The part before ``://``."""
        return self.text.partition("://")[0]

    @property
    def is_web(self) -> bool:
        """Whether it is fetched by HTTP, as anybody would."""
        return self.scheme in WEB

    @property
    def host(self) -> str:
        """Name of the host, or of the bucket."""
        return urlsplit(self.text).hostname or ""

    @property
    def name(self) -> str:
        """The last name in it.

        Examples:
            >>> Address("https://host/a%20b.csv?token=7").name
            'a b.csv'
        """
        _, names = self._parts()
        last = names[-1] if names else ""
        return unquote(last) if self.is_web else last

    @property
    def parent(self) -> Address:
        """The folder that it is in."""
        place, names = self._parts()
        return Address("/".join([place, *names[:-1]]))

    def __truediv__(self, path: str) -> Address:
        """What is in it.

        Args:
            path: relative to it, a file's name as it is: in one with ``%20`` that isn't a blank.

        Returns:
            Its address.

        Raises:
            StorageError: if the path is a whole one, or leads out of the host or the bucket.

        Examples:
            >>> (Address("https://host/set/wav") / "../a b.wav").text
            'https://host/set/a%20b.wav'
        """
        if path.startswith("/"):
            raise StorageError(
                "is the whole path of a file here, and the manifest isn't; if it is to be read, "
                "give --root /"
            )
        place, names = self._parts()
        for name in path.split("/"):
            if name == ".." and not names:
                raise StorageError(f"leads out of {place}")
            if name == "..":
                names.pop()
            elif name not in ("", "."):
                names.append(quote(name) if self.is_web else name)
        return Address("/".join([place, *names]))

    def is_in(self, folder: Address) -> bool:
        """Whether it is below a folder, however it is written.

        Args:
            folder: where.

        Returns:
            True where it is.

        Examples:
            >>> root = Address("https://host/set")
            >>> [Address(f"https://host/{path}").is_in(root) for path in ("set/a", "set/%2E%2E/a")]
            [True, False]
        """
        place, names = self._parts()
        other, above = folder._parts()
        plain = [unquote(name) if self.is_web else name for name in names]
        within = place == other and names[: len(above)] == above and len(names) > len(above)
        return within and ".." not in plain

    def __str__(self) -> str:
        """As it is written."""
        return self.text

    def _parts(self) -> tuple[str, list[str]]:
        # What nothing leads out of, and the names of folders and file in it.
        scheme, _, rest = self.text.partition("://")
        if self.is_web:
            rest = re.split("[?#]", rest, maxsplit=1)[0]
        names = rest.split("/")
        own = OWN_NAMES.get(scheme, 1)
        return f"{scheme}://{'/'.join(names[:own])}", [name for name in names[own:] if name]


def is_known(text: str) -> bool:
    """Whether a path is an address of a scheme that is read.

    Args:
        text: as a manifest or a user has it.

    Returns:
        True where it is.

    Examples:
        >>> is_known("S3://bucket/a.wav"), is_known("ftp://host/a.wav")
        (True, False)
    """
    found = SCHEME.match(text)
    return found is not None and found[1].lower() in SCHEMES


# A file or a folder, on this machine or not.
Place = Path | Address


def is_address(text: str) -> bool:
    """Whether a path begins as an address does, of whatever scheme.

    Args:
        text: as a manifest or a user has it.

    Returns:
        True where it does.

    Examples:
        >>> is_address("s3://bucket/a.wav"), is_address("clips/a.wav"), is_address("C:/a.wav")
        (True, False, False)
    """
    return SCHEME.match(text) is not None


def at(root: Place, path: str) -> Place:
    """Say where a path leads.

    Args:
        root: folder that relative ones begin at.
        path: relative, whole, or an address.

    Returns:
        The file.

    Raises:
        StorageError: if it can't be any.
    """
    return Address.parse(path) if is_address(path) else root / path
