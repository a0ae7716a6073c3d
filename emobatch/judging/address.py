"""Where a language model is, and whether it may be asked."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from emobatch.errors import OptionError

# Of the environment, the first that is set: a key stands nowhere else.
KEYS = ("EMOBATCH_API_KEY", "OPENAI_API_KEY")
LOOPBACK_NAMES = ("localhost", "ip6-localhost")


def check_url(url: str, *, offline: bool) -> str:
    """Check where a model is said to be.

    Args:
        url: as typed.
        offline: whether only this machine may be asked.

    Returns:
        The address to be stored: without what may be a secret in it.

    Raises:
        OptionError: if it is no web address, or another machine's though offline.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("http", "https"):
        raise OptionError(f"--endpoint {url}: no web address; as in http://localhost:8000/v1")
    if parts.username or parts.password or parts.query:
        raise OptionError(
            f"--endpoint {parts.scheme}://{host}…: has a secret or a question in it; give the key "
            f"as {KEYS[0]} in the environment"
        )
    if offline and not is_loopback(url):
        raise OptionError(
            f"--endpoint {url}: is another machine, and --offline asks none; serve the model on "
            "this one"
        )
    where = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{where}{f':{port}' if port else ''}{parts.path}"


def is_loopback(url: str) -> bool:
    """Say whether an address is this machine's own.

    Args:
        url: a web address.

    Returns:
        Whether nothing that is sent there leaves this machine.
    """
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK_NAMES
