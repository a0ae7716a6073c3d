"""Saved work held against the run that is wanted, and what differs in the words of the options."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emobatch.errors import ResumeError
from emobatch.models.names import option_of
from emobatch.tables.provenance import differences

# What follows from other options, or from the classes, and isn't named beside them.
FOLLOWING = (
    *("task", "task.sentiments", "attributes"),
    *("options.asr_device", "options.speech_type", "options.asr_type", "options.chunk_rows"),
)
# Of a training: what the command line calls otherwise, by its branch.
OF_TRAINING = {
    "speech": {"options.crop": "--crop-seconds", "options.batch": "--batch-seconds"},
    "text": {"options.crop": "--max-tokens", "options.batch": "--batch-tokens"},
}
# Such have no option: how many processes there are, and which command it is.
NO_OPTION = ("options.processes", "options.branch")


def is_same(saved: Mapping[str, Any], run: Mapping[str, Any]) -> bool:
    """Whether saved work is of a run.

    Args:
        saved: manifest, models and options that it was done with.
        run: those wanted now.

    Returns:
        True where nothing differs that decides what comes out.
    """
    return not _differing(saved, run)


def refuse_other(where: Path, saved: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Refuse to go on with the work of another run.

    Args:
        where: the work is.
        saved: manifest, models and options that it was done with.
        run: those wanted now.

    Raises:
        ResumeError: names what differs.
    """
    if differing := _differing(saved, run):
        raise ResumeError(
            f"{where}: holds work of a run that differs in {', '.join(_named(differing, saved))}; "
            "give back what it had, name another -o, or throw it away with --restart"
        )


def _differing(saved: Mapping[str, Any], run: Mapping[str, Any]) -> list[str]:
    # Through JSON and back, so that tuples and lists don't differ.
    return differences(saved, json.loads(json.dumps(run)))


def _named(differing: list[str], saved: Mapping[str, Any]) -> list[str]:
    kept = [key for key in differing if not _follows(key, differing)]
    return [_name(key, saved) for key in kept or differing]


def _follows(key: str, differing: list[str]) -> bool:
    # Another model has other files, too, and a branch that is left out has none.
    model, _, part = key.rpartition(".")
    of_branch = model == "models" and {"options.speech", "options.text"} & {*differing}
    return bool(key in FOLLOWING or of_branch or (part != "name" and f"{model}.name" in differing))


def _name(key: str, saved: Mapping[str, Any]) -> str:
    option = _option(key, saved)
    if option is None:
        return key
    was: Any = saved
    for part in key.split("."):
        was = was.get(part) if isinstance(was, Mapping) else None
    if isinstance(was, Mapping) or key == "options.gate":  # of which only a digest is known
        return option
    if isinstance(was, list):
        was = ",".join(map(str, was)) or None
    said = "its default" if was is None else "given" if was is True else was
    return f"{option} (was {said})"


def _option(key: str, saved: Mapping[str, Any]) -> str | None:
    group, _, name = key.partition(".")
    if key == "base.name":
        return "--base"
    if key == "task.classes":
        return "--classes"
    if group == "models" and (name.endswith(".name") or "." not in name):
        return option_of(name.removesuffix(".name"))
    if group != "options" or key in FOLLOWING or key in NO_OPTION:
        return None
    branch = saved.get("options", {}).get("branch")
    return OF_TRAINING.get(branch, {}).get(key, f"--{name.replace('_', '-')}")
