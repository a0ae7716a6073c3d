"""What a table or a thresholds file says of its making."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from emobatch import __version__

SCORING_PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "ctranslate2",
    "faster-whisper",
    "contractions",
    "simplemma",
    "soundfile",
    "soxr",
    "av",
)


def software(packages: Iterable[str]) -> dict[str, str]:
    """Versions of emobatch, Python and the packages named.

    Args:
        packages: names of distributions.

    Returns:
        Version by name; packages that aren't installed are left out.
    """
    found = {"emobatch": __version__, "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def date() -> str:
    """Today, or the day that SOURCE_DATE_EPOCH names, so that a file can be made again.

    Returns:
        The date in UTC, as in ``2026-01-31``.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return now.date().isoformat()
