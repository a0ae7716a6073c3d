"""The file systems of fsspec, one for each scheme, set up so that none of them waits for ever."""

from __future__ import annotations

import errno
import os
import socket
from functools import lru_cache, partial
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from emobatch.errors import StorageError
from emobatch.storage.access import Access, is_metadata, is_public, leads_to_private
from emobatch.storage.address import Address

if TYPE_CHECKING:
    import aiohttp

# What reads each scheme: fsspec's name of it, the package that it takes, and the extra that brings
# this; the hub's comes with emobatch.
PACKAGES = {
    "https": ("http", "aiohttp", "remote"),
    "http": ("http", "aiohttp", "remote"),
    "s3": ("s3", "s3fs", "remote"),
    "gs": ("gs", "gcsfs", "gcs"),
    "hf": ("hf", "huggingface_hub", "remote"),
}
# Seconds to wait for a connection, and for more of an answer.
CONNECT_SECONDS, READ_SECONDS = 20, 60
# Whose numbers are looked up but once; those that are connected to are looked at all the same.
HOSTS = 1024
FORBIDDEN = "leads to a private network, where only rows of the user's own may lead"


class Systems:
    """File systems, made when they are first needed. May be used from several threads."""

    def __init__(self, access: Access) -> None:
        """Make none yet.

        Args:
            access: what may be fetched.
        """
        self._access = access
        self._made: dict[tuple[str, bool], Any] = {}
        self._lock = Lock()
        self._leads_to_private = lru_cache(HOSTS)(leads_to_private)

    def of(self, address: Address) -> Any:
        """The file system that an address is of.

        Args:
            address: of a file.

        Returns:
            fsspec's.

        Raises:
            StorageError: if a package is missing, or the host is one that may not be asked.
        """
        private = False
        if address.is_web and self._leads_to_private(address.host):
            if not self._access.may_be_private(address):
                raise StorageError(f"{address.host} {FORBIDDEN}")
            private = True
        with self._lock:
            key = (address.scheme, private)
            if key not in self._made:
                self._made[key] = _made(address.scheme, private=private)
            return self._made[key]


def _made(scheme: str, *, private: bool) -> Any:
    name, package, extra = PACKAGES[scheme]
    try:
        import fsspec

        import_module(package)
    except ImportError as error:
        raise StorageError(
            f"{scheme}:// needs the package {error.name or package}: "
            f"pip install 'emobatch[{extra}]'"
        ) from error
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if name == "http":
        # So that a file is as long as its server says it is.
        options["headers"] = {"Accept-Encoding": "identity"}
        options["get_client"] = partial(_client, private)
    elif name == "s3":
        options["anon"] = _is_anonymous()
        options["config_kwargs"] = {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "max_pool_connections": 64,
        }
    return fsspec.filesystem(name, **options)


def _is_anonymous() -> bool:
    # Public buckets are read without an account where there is none.
    from botocore.session import Session

    return Session(profile=os.environ.get("AWS_PROFILE")).get_credentials() is None


async def _client(private: bool, **options: Any) -> aiohttp.ClientSession:
    import aiohttp

    # A proxy looks hosts up by itself, and is on a private network like as not.
    guard = None if getproxies() else partial(_socket, private)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(socket_factory=guard),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS
        ),
        trust_env=True,
        **options,
    )


def _socket(private: bool, info: tuple[Any, ...]) -> socket.socket:
    # Asked for each connection, so that neither a redirect nor a name that has two numbers gets
    # past it.
    family, kind, protocol, _, place = info
    if is_metadata(place[0]) or not (private or is_public(place[0])):
        raise PermissionError(errno.EACCES, FORBIDDEN)
    return socket.socket(family, kind, protocol)
