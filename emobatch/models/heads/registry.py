"""All kinds of heads, and which of them a folder is."""

from __future__ import annotations

from pathlib import Path

from emobatch.models.heads.head import Folder, Head
from emobatch.registry import Registry

HEADS: Registry[type[Head]] = Registry(
    "head",
    {
        "attentive": "emobatch.models.heads.attentive:Attentive",
        "mean": "emobatch.models.heads.mean:Mean",
        "challenge": "emobatch.models.heads.challenge:Challenge",
    },
)


def head_of(path: Path) -> type[Head] | None:
    """Say of which kind a speech checkpoint is.

    Args:
        path: its folder.

    Returns:
        The kind; None for one that transformers loads.
    """
    folder = Folder(path)
    return next((HEADS[name] for name in HEADS if HEADS[name].claims(folder)), None)
