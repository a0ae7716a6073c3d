"""What a table says that it was made with, chosen again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emobatch.errors import CheckpointError, TableError, TaskError
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.choice import Choice
from emobatch.models.names import (
    AUTO,
    BRANCHES,
    EMOTIONAL,
    LEFT_OUT,
    SEVERAL,
    SIDES,
    WITH_MODEL,
    kind_of,
)
from emobatch.scoring.made_with import BESIDE
from emobatch.tables import provenance, stored
from emobatch.tables.provenance import model_difference
from emobatch.tasks.labels import written
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)

SETTINGS = ("device", "precision", "language", "asr_context", "clean")
# Batches shorter than any window, so that each is one of its own; and what was decoded once is
# decoded again, however long it is.
ALWAYS = {"batch_seconds": 1e-3, "max_seconds": 1e9}


def choice_of(source: str, made: Mapping[str, Any], overrides: Mapping[str, Any]) -> Choice:
    """Choose what a table was made with, to score its rows again one at a time.

    Args:
        source: the table, for messages.
        made: its provenance.
        overrides: fields that shall not be the table's; None leaves the table's.

    Returns:
        The choice.

    Raises:
        TableError: if the table doesn't say what it was made with.
    """
    given = {name: value for name, value in overrides.items() if value not in (None, ())}
    try:
        models, options = made["models"], made["options"]
        sides = {side: options.get(side) or WITH_MODEL for side in SIDES}
        without = {branch for side in SIDES if sides[side] == LEFT_OUT for branch in SIDES[side]}
        if EMOTIONAL not in models:
            without.add(EMOTIONAL)
        used = [branch for branch in BRANCHES if branch not in without]
        names: dict[str, Any] = {f"{b}_model": str(models[b]["name"]) for b in used}
        for kind in SEVERAL:
            several = [str(models[branch]["name"]) for branch in models if kind_of(branch) == kind]
            names[f"{kind.replace('-', '_')}_model"] = tuple(several)
        settings = {name: str(options[name]) for name in SETTINGS}
        maps = {
            name: tuple(written({label: to}) for label, to in options[name].items())
            for name in ("label_map", "text_label_map")
        }
        beside = {name: options[name] for name in BESIDE if options.get(name) is not None}
        known = {**names, **sides, **settings, **maps, **beside}
        known["beam_size"] = int(options["beam_size"])
        known["prosody"] = bool(options.get("prosody"))
        known["transcript_language"] = options.get(*_given_language(options))
        known["classes"] = Task.from_dict(made["task"])
        return Choice(**{**known, **given, **ALWAYS})
    except (TaskError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise TableError(
            f"{source}: doesn't say what it was made with; verify the file that `score -o` wrote, "
            f"with {stored.sidecar(Path(source)).name} beside it if it isn't Parquet"
        ) from error


def check_weights(made: Mapping[str, Any], found: Mapping[str, Checkpoint]) -> None:
    """Refuse models other than a table's.

    Args:
        made: the table's provenance.
        found: the models, by branch.

    Raises:
        CheckpointError: names the model, and what differs.
    """
    for branch, checkpoint in found.items():
        if branch not in made["models"]:
            raise CheckpointError(
                f"{checkpoint.name}: the table was made without {checkpoint.option}; leave it out"
            )
        there, here = made["models"][branch], checkpoint.provenance()
        differing = model_difference(there, here)
        if differing is not None:
            what = "settings" if differing == "settings" else "weights"
            key = "settings" if differing == "settings" else "digest"
            raise CheckpointError(
                f"{checkpoint.name}: other {what} than the table's: here {here[key]}, there "
                f"{there.get(key)} of {there.get('name')}, revision "
                f"{there.get('revision') or 'unknown'}; give {checkpoint.option} those"
            )


def note_versions(made: Mapping[str, Any]) -> None:
    """Note which software a table was made with, where that is another than here.

    Args:
        made: the table's provenance.
    """
    here, there = provenance.software(provenance.SCORING_PACKAGES), made.get("software")
    if isinstance(there, Mapping):
        changed = [f"{name} {there[name]}" for name in there if there[name] != here.get(name)]
        if changed:
            now = ", ".join(
                f"{name} {here[name]}" for name in here if here[name] != there.get(name)
            )
            log.warning("note: the table was made with %s; here is %s", ", ".join(changed), now)


def _given_language(options: Mapping[str, Any]) -> tuple[str, str | None]:
    # Before there was a choice, such transcripts were taken to be English where it was detected.
    return "transcript_language", "en" if options["language"] == AUTO else None
