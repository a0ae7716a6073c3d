"""Labels outside the classes: the message that refuses them, and all that can be done about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from emobatch.errors import LabelError
from emobatch.tasks.labels import DROPPED, MOST_LISTED, LabelMap, Labels, listed, nearest, written
from emobatch.tasks.spellings import CORPUS_CODES

# A column of more labels than there can be classes is hardly one of emotions.
MOST_MAPPED = 64
# Fewer codes than these are of any corpus; and shorter labels look like anything.
FEWEST_CODES = 4
FEWEST_LETTERS = 4
# What can be done beside mapping labels, where a command doesn't say otherwise.
OTHERS = (
    "leave rows out with --where, name another column with --label-column, or score with "
    "--classes that has them"
)


def refuse_unknown(
    column: str, unknown: Sequence[tuple[str, int]], names: Sequence[str], remedy: str
) -> None:
    """Refuse a column that has labels outside the classes.

    Args:
        column: its name.
        unknown: those labels with their counts, the most frequent first; none passes.
        names: those that are known.
        remedy: what to do about it.

    Raises:
        LabelError: lists the labels.
    """
    if unknown:
        shown = ", ".join(f"{name} ({count})" for name, count in unknown[:MOST_LISTED])
        if len(unknown) > MOST_LISTED:
            shown += f", … ({len(unknown)} in all)"
        raise LabelError(f"column {column!r} has labels outside {listed(names)}: {shown}; {remedy}")


def remedies(
    unknown: Sequence[str], labels: Labels, label_map: LabelMap, others: str = OTHERS
) -> str:
    """Say all that can be done about labels outside the classes.

    Args:
        unknown: these labels, as they are spelled.
        labels: the classes.
        label_map: as the user gave it.
        others: what else can be done.

    Returns:
        A whole ``--label-map`` to copy, and what else there is.

    Examples:
        >>> from emobatch.tasks.task import Task
        >>> task = Task.of(["angry", "happy", "neutral", "sad"])
        >>> remedies(["fru", "nuetral"], task.labels, {}).split(" (")[0]
        'read them with --label-map fru=none,nuetral=neutral'
    """
    if len(unknown) > MOST_MAPPED:
        return f"if they are no emotions, name another column with --label-column; else {others}"
    corpus, suggested = _suggested(unknown, labels)
    known = f", as {corpus} codes them" if corpus else ""
    whole = shlex.quote(written({**label_map, **suggested}))
    return (
        f"read them with --label-map {whole} ({DROPPED} drops a label{known}; put a class where "
        f"it stands for one), {others}"
    )


def _suggested(unknown: Sequence[str], labels: Labels) -> tuple[str | None, LabelMap]:
    codes = {label: label.lower() for label in unknown}
    corpora = [name for name, known in CORPUS_CODES.items() if set(codes.values()) <= set(known)]
    if len(codes) >= FEWEST_CODES and len(corpora) == 1:
        meant = CORPUS_CODES[corpora[0]]
        return corpora[0], {name: labels.spellings.get(meant[code]) for name, code in codes.items()}
    return None, {label: _meant(label, labels) for label in unknown}


def _meant(label: str, labels: Labels) -> str | None:
    # Of the same first letter: "unhappy" is as like "happy" as a typo of it.
    alike = [name for name in labels.spellings if name[:1] == label[:1].lower()]
    near = nearest(label, alike, 0.8) if len(label) >= FEWEST_LETTERS else None
    return labels.spellings[near] if near else None
