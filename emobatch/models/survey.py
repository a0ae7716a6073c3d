"""What a run would need of models, and what of that is on this machine."""

from __future__ import annotations

from typing import Any

from emobatch.models.choice import Choice

KEYS = ("name", "folder", "revision", "bytes", "digest", "settings")


def survey(choice: Choice, *, fetch: bool = False) -> dict[str, dict[str, Any]]:
    """List the checkpoints that a run would load.

    Args:
        choice: names them.
        fetch: fetch those from the hub that aren't here; else the hub is never asked.

    Returns:
        By branch ``name``, ``folder``, ``revision``, ``bytes`` and ``digest`` of the weights, and
        ``settings``, the digest of what else decides; all but the name are None where the
        checkpoint is not on this machine.

    Raises:
        CheckpointError: if a name is none, or a checkpoint can't be fetched.
    """
    found = choice.find_checkpoints() if fetch else choice.look_up()
    listed: dict[str, dict[str, Any]] = {}
    for branch, name in choice.names().items():
        checkpoint = found[branch]
        listed[branch] = dict.fromkeys(KEYS)
        listed[branch]["name"] = name
        if checkpoint is not None:
            listed[branch] |= {"folder": str(checkpoint.folder), "bytes": checkpoint.size()}
            listed[branch] |= checkpoint.provenance()
    return listed


def missing(listed: dict[str, dict[str, Any]]) -> list[str]:
    """Branches whose checkpoint is not on this machine.

    Args:
        listed: see :func:`survey`.

    Returns:
        Their names.
    """
    return [branch for branch, entry in listed.items() if entry["folder"] is None]
