"""Which task a run or a table is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emobatch.errors import TaskError
from emobatch.registry import Registry

# Help texts list the names; what a task is they needn't import.
if TYPE_CHECKING:
    from emobatch.tasks.task import Task

CLASS_SETS: Registry[Task] = Registry(
    "class set",
    {
        "four": "emobatch.tasks.four:FOUR",
        "eight": "emobatch.tasks.eight:EIGHT",
    },
)
DEFAULT = "four"
# The speech model's own labels.
CHECKPOINT = "checkpoint"
PREFIX = "speech_"


def named(text: str, checkpoint_labels: Callable[[], Sequence[str]] | None = None) -> Task:
    """Read the value of ``--classes``.

    Args:
        text: a class set's name, ``checkpoint``, or class names separated by commas.
        checkpoint_labels: gives the speech model's labels in the order of its outputs; called for
            ``checkpoint`` alone.

    Returns:
        The task.

    Raises:
        TaskError: if it names no classes, or the labels make none.

    Examples:
        >>> named("four").classes
        ('angry', 'happy', 'neutral', 'sad')
        >>> named("calm,tense").classes
        ('calm', 'tense')
    """
    from emobatch.tasks.task import Task

    if text in CLASS_SETS:
        return CLASS_SETS[text]
    if text == CHECKPOINT and checkpoint_labels is not None:
        try:
            return Task.of(checkpoint_labels())
        except TaskError as error:
            raise TaskError(
                f"--classes checkpoint: {error}; name the classes with --classes and map the "
                "speech model's labels onto them with --label-map"
            ) from error
    if text == CHECKPOINT:
        raise TaskError("--classes checkpoint: there is no speech model here; name the classes")
    if "," not in text:
        known = ", ".join((*CLASS_SETS, CHECKPOINT))
        raise TaskError(f"--classes {text}: give {known}, or names separated by commas")
    try:
        return Task.of(text.split(","))
    except TaskError as error:
        raise TaskError(f"--classes {text}: {error}") from error


def of_table(columns: Collection[str], provenance: Mapping[str, Any]) -> Task:
    """Find the task of a table that was scored.

    Args:
        columns: names of its columns.
        provenance: what is stored with it, empty where nothing is.

    Returns:
        The task that it was scored for; where that isn't stored, that of its columns
        ``speech_CLASS``, or without those the default.

    Raises:
        TaskError: if the columns make no task.

    Examples:
        >>> of_table(["id", "speech_calm", "speech_tense", "speech_emotion"], {}).classes
        ('calm', 'tense')
    """
    from emobatch.tasks.task import Task

    stored = provenance.get("task")
    if isinstance(stored, Mapping):
        return Task.from_dict(stored)
    names = classes_of(columns)
    if not names:
        return CLASS_SETS[DEFAULT]
    for name in CLASS_SETS:
        if set(CLASS_SETS[name].classes) == set(names):
            return CLASS_SETS[name]
    try:
        return Task.of(names)
    except TaskError as error:
        raise TaskError(f"columns {', '.join(PREFIX + name for name in names)}: {error}") from error


def classes_of(columns: Iterable[str]) -> list[str]:
    """Classes of the columns ``speech_CLASS``.

    Args:
        columns: names of any columns.

    Returns:
        Names of classes in their order.

    Examples:
        >>> classes_of(["speech_sad", "speech_arousal", "speech_emotion", "transcript"])
        ['sad']
    """
    from emobatch.tasks.task import OTHER_COLUMNS

    found = [name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX)]
    return [name for name in found if name and name not in OTHER_COLUMNS]
