"""A job's part of a manifest, as the models and options of its run would have it cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emobatch.errors import TableError
from emobatch.manifests.costs import Costs
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.shards import Shard
from emobatch.models.choice import Choice
from emobatch.models.names import AUTO, DEVICES, FITTING_CONTEXT
from emobatch.tables import stored


def take(
    shard: Shard, rows: Manifest, choice: Choice, target: Path | None
) -> tuple[Manifest, dict[str, Any]]:
    """Cut a shard out of a manifest.

    Args:
        shard: which.
        rows: the manifest.
        choice: models and options of the run.
        target: the shard's table, which may be there already.

    Returns:
        The shard's rows, of which there may be none, and what is stored with its table.
    """
    return shard.take(rows, costs(choice), _known_chunk_rows(target) or chunk_rows(choice))


def costs(choice: Choice) -> Costs:
    """Say what a run spends seconds of audio on.

    Args:
        choice: its models and options.

    Returns:
        What rows cost it.
    """
    without = choice.sides_left_out
    fits = choice.asr_context == FITTING_CONTEXT
    return Costs(speech="speech" not in without, text="text" not in without, fits=fits)


def chunk_rows(choice: Choice) -> int:
    """Rows to a chunk on the device of a run.

    Args:
        choice: its models and options.

    Returns:
        How many.
    """
    return DEVICES[device_name(choice)].chunk_rows


def device_name(choice: Choice) -> str:
    """Name the device of a run.

    Args:
        choice: its models and options.

    Returns:
        Its name; of ``auto``, that of the one that is found here.
    """
    if choice.device != AUTO:
        return choice.device
    from emobatch.models import devices  # with torch, which takes seconds

    return devices.first_there()


def _known_chunk_rows(target: Path | None) -> int | None:
    # A table that is there says it, without torch. Whether it is of this run is seen later on.
    if target is None or not target.exists():
        return None
    try:
        options = stored.metadata(target, edited=True).get("options")
    except TableError:
        return None
    known = options.get("chunk_rows") if isinstance(options, dict) else None
    return known if known in {limits.chunk_rows for limits in DEVICES.values()} else None
