"""Labels, read through the one alias table: of checkpoints, and as a user maps them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from emobatch.errors import LabelError
from emobatch.tasks.spellings import (
    EMOTIONS,
    LEVEL_SPELLINGS,
    LEVELS,
    SENTIMENT_SPELLINGS,
    SENTIMENTS,
)

LabelMap = Mapping[str, str | None]

# What a user writes to drop a label: `--label-map fru=none`.
DROPPED = "none"
MOST_LISTED = 12
# Names that one is compared with, which takes time.
MOST_COMPARED = 1000


@dataclass(frozen=True)
class Labels:
    """Names that labels stand for.

    Attributes:
        names: classes or sentiments, in order.
        spellings: name by spelling, in lower case.
    """

    names: tuple[str, ...]
    spellings: Mapping[str, str]


SENTIMENT_LABELS = Labels(SENTIMENTS, SENTIMENT_SPELLINGS)
LEVEL_LABELS = Labels(LEVELS, LEVEL_SPELLINGS)


def parse_label_map(pairs: Iterable[str], labels: Labels) -> dict[str, str | None]:
    """Read ``NAME=CLASS`` pairs, several to an item when separated by commas.

    A pair with a comma of its own goes in double quotes.

    Args:
        pairs: for example ``["fru=none,LABEL_0=angry"]``.
        labels: what a name may be mapped to.

    Returns:
        Lower-case name to class, or to None where the label is dropped.

    Raises:
        LabelError: if an item isn't of that form, names another class, or a name has two.

    Examples:
        >>> parse_label_map(["mixed=none,LABEL_0=neg"], SENTIMENT_LABELS)
        {'mixed': None, 'label_0': 'negative'}
        >>> parse_label_map(['"good, I think=pos",bad=neg'], SENTIMENT_LABELS)
        {'good, i think': 'positive', 'bad': 'negative'}
    """
    parsed: dict[str, str | None] = {}
    for pair in (part for item in pairs for part in _pairs(item)):
        name, equals, target = pair.rpartition("=")
        spelled, wanted = name.strip().lower(), target.strip().lower()
        if not equals or not spelled or (wanted != DROPPED and wanted not in labels.spellings):
            near = nearest(wanted, (*labels.spellings, DROPPED)) if equals else None
            raise LabelError(
                f"label map: {pair!r} is not NAME=CLASS; CLASS is one of "
                f"{', '.join(labels.names)} or {DROPPED}"
                + (f"; did you mean {name.strip()}={near}?" if near else "")
            )
        found = None if wanted == DROPPED else labels.spellings[wanted]
        if parsed.setdefault(spelled, found) != found:
            raise LabelError(
                f"label map: {name.strip()!r} is given as {parsed[spelled] or DROPPED} and as "
                f"{found or DROPPED}; give it once"
            )
    return parsed


def nearest(name: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The name that a typo was meant for.

    Args:
        name: as it was written.
        known: what it may have been meant for.
        least: how like it has to be, 0 to 1 for the same.

    Returns:
        The one that is most like it, in any case; None where none is.

    Examples:
        >>> nearest("anrgy", ["angry", "happy"]), nearest("W1", ["W", "L"]), nearest("x", ["y"])
        ('angry', 'W', None)
    """
    spelled = {each.lower(): each for each in known}
    found = get_close_matches(name.lower(), spelled, n=1, cutoff=least)
    return spelled[found[0]] if found else None


def written(label_map: LabelMap) -> str:
    """Write a label map as :func:`parse_label_map` reads it.

    Args:
        label_map: class by label, None where it is dropped.

    Returns:
        One item of pairs with commas.

    Examples:
        >>> written({"W": "angry", "tired, bored": None})
        'W=angry,"tired, bored=none"'
    """
    line = io.StringIO()
    pairs = [f"{name}={target or DROPPED}" for name, target in label_map.items()]
    csv.writer(line, lineterminator="").writerow(pairs)
    return line.getvalue()


def refuse_strays(
    label_map: LabelMap, names: Sequence[str], labels: Labels, where: str, option: str
) -> None:
    """Refuse entries of a label map that are for no label: they would do nothing in silence.

    Args:
        label_map: from :func:`parse_label_map`.
        names: the labels that there are, as they are spelled.
        labels: the classes; an entry for one of their spellings, or for any emotion's, may stay.
        where: the labels are, for the message.
        option: that gave the label map.

    Raises:
        LabelError: names the nearest label.
    """
    known = {name.strip().lower() for name in names}.union(labels.spellings, EMOTIONS)
    for name, target in label_map.items():
        if name in known:
            continue
        near = nearest(name, (*names[:MOST_COMPARED], *labels.spellings))
        meant = f"did you mean {near}={target or DROPPED}? " if near else ""
        raise LabelError(
            f"{option} {name}={target or DROPPED}: {where} has no label {name!r}; {meant}its "
            f"labels are {listed(names) or 'none'}; mend that entry or leave it out"
        )


def mapped(names: Iterable[str], labels: Labels, label_map: LabelMap) -> list[str | None] | None:
    """Map a checkpoint's outputs onto classes.

    Args:
        names: the checkpoint's labels in the order of its outputs.
        labels: what they may stand for.
        label_map: overrides of the alias table, from :func:`parse_label_map`.

    Returns:
        For each output the name that it stands for, or None where it is dropped; None for all
        where one is unknown.

    Examples:
        >>> mapped(["LABEL_0", "pos"], SENTIMENT_LABELS, {"label_0": None})
        [None, 'positive']
    """
    spellings = {**labels.spellings, **label_map}
    spelled = [name.strip().lower() for name in names]
    if any(name not in spellings for name in spelled):
        return None
    return [spellings[name] for name in spelled]


def checkpoint_classes(
    names: Sequence[str], labels: Labels, label_map: LabelMap, option: str
) -> list[int | None]:
    """Map a checkpoint's outputs onto classes, each of which must be reached.

    Args:
        names: the checkpoint's labels in the order of its outputs.
        labels: the classes wanted.
        label_map: overrides of the alias table, from :func:`parse_label_map`.
        option: the command line's option that would mend a failure.

    Returns:
        For each output the index of its class, or None where it is dropped.

    Raises:
        LabelError: if a label is unknown, a class is reached by none, or the map is of others.

    Examples:
        >>> checkpoint_classes(["pos", "neu", "neg"], SENTIMENT_LABELS, {}, "--label-map")
        [2, 1, 0]
    """
    refuse_strays(label_map, names, labels, "the checkpoint", option)
    targets = mapped(names, labels, label_map)
    if targets is None or not set(labels.names) <= set(targets):
        raise LabelError(
            f"the checkpoint's labels ({listed(names)}) can't be mapped onto "
            f"{listed(labels.names)}; name them with {option} {names[0]}={labels.names[0]},…, or "
            "take the checkpoint's own with --classes checkpoint"
        )
    return [None if target is None else labels.names.index(target) for target in targets]


def _pairs(item: str) -> list[str]:
    try:
        parts = next(csv.reader([item], skipinitialspace=True), []) or [""]
    except csv.Error:  # a line break outside of quotes
        parts = item.split(",")
    return [part.strip() for part in parts]


def listed(names: Sequence[str]) -> str:
    """Write names for a message, the first of them where there are many.

    Args:
        names: labels or classes.

    Returns:
        Them with commas.
    """
    more = f", … ({len(names)} in all)" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
