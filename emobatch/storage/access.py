"""What may be fetched, and where it is kept: as the user says, and no more than that."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from emobatch.errors import StorageError
from emobatch.storage.address import Address

# Bytes of fetched files that are kept.
CACHE_BYTES = 10 * 10**9
OPTION = "--allow-remote"
# Where clouds tell a machine its own passwords.
METADATA = tuple(
    ipaddress.ip_network(block) for block in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128")
)


@dataclass(frozen=True)
class Access:
    """What rows may name that isn't on this machine. Can be pickled.

    Attributes:
        allowed: whether they may name any address.
        home: of the manifest itself, None where that is a file here. Its rows may name addresses
            too; those on private networks only at the host that the user named.
        cache: folder where fetched files are kept, None for one that goes with the process.
        cache_bytes: of what is kept there.
    """

    allowed: bool = False
    home: Address | None = None
    cache: Path | None = None
    cache_bytes: int = CACHE_BYTES

    def check(self, address: Address) -> None:
        """Refuse what the user didn't allow.

        Args:
            address: that a row names.

        Raises:
            StorageError: says what would allow it.
        """
        if not self.allowed and self.home is None:
            raise StorageError(f"isn't on this machine, and is fetched only with {OPTION}")

    def may_be_private(self, address: Address) -> bool:
        """Whether an address may be of a host on a private network, this machine among them.

        Args:
            address: that a row names.

        Returns:
            True where the user allowed any, or named that very host.
        """
        return self.allowed or (self.home is not None and self.home.host == address.host)


# Where nothing may be fetched.
NO_ACCESS = Access()


def is_public(number: str) -> bool:
    """Whether a host's number is one of the internet's.

    Args:
        number: an IP address.

    Returns:
        False for this machine's own, those of private networks, and those with a meaning.

    Examples:
        >>> [is_public(each) for each in ("8.8.8.8", "127.0.0.1", "10.0.0.7", "::ffff:10.0.0.7")]
        [True, False, False, False]
    """
    return _plain(number).is_global


def is_metadata(number: str) -> bool:
    """Whether a host's number is one at which a cloud answers its machines, passwords included.

    Args:
        number: an IP address.

    Returns:
        True where it is: nobody has audio there.

    Examples:
        >>> is_metadata("169.254.169.254"), is_metadata("127.0.0.1")
        (True, False)
    """
    plain = _plain(number)
    return any(plain.version == block.version and plain in block for block in METADATA)


def leads_to_private(host: str) -> bool:
    """Whether a host's name is that of one on a private network.

    Args:
        host: its name, or an IP address.

    Returns:
        False also where nobody knows the name: whoever fetches from it says so.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return not all(is_public(str(each[4][0])) for each in found)


def _plain(number: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    plain = ipaddress.ip_address(number.partition("%")[0])
    mapped = getattr(plain, "ipv4_mapped", None)
    return mapped or plain
