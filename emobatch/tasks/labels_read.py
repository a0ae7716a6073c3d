"""How the labels of a column were read: which stood for what, and in how many rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emobatch.wording import counted

# The column of labels, unless a user names another.
LABEL = "label"


@dataclass(frozen=True)
class LabelsRead:
    """How the labels of a column were read.

    Attributes:
        column: its name.
        classes: the classes, in order.
        read: for each class and label, as it is spelled, how many rows.
        dropped: by label, how many rows it was dropped of.
        unlabelled: rows without a label.
    """

    column: str
    classes: tuple[str, ...]
    read: Mapping[str, Mapping[str, int]]
    dropped: Mapping[str, int]
    unlabelled: int

    @classmethod
    def together(cls, parts: Iterable[LabelsRead]) -> LabelsRead:
        """Join what was read of several tables.

        Args:
            parts: of a column of the same name and the same classes.

        Returns:
            The sums.
        """
        first, *others = parts
        counts = [*_flat(first), *(count for each in others for count in _flat(each))]
        unlabelled = sum(each.unlabelled for each in (first, *others))
        return cls.of(first.column, first.classes, counts, unlabelled)

    @classmethod
    def of(
        cls,
        column: str,
        classes: Sequence[str],
        counts: Iterable[tuple[str, str | None, int]],
        unlabelled: int,
    ) -> LabelsRead:
        """Sort counts by class, and the most frequent labels first.

        Args:
            column: its name.
            classes: in order.
            counts: label, its class (None where it was dropped) and its rows.
            unlabelled: rows without a label.

        Returns:
            How the labels were read. Labels that differ in case alone are counted together.

        Examples:
            >>> counts = [("W", "angry", 3), ("L", None, 2), ("w", "angry", 1)]
            >>> LabelsRead.of("label", ["angry", "sad"], counts, 0).read
            {'angry': {'W': 4}}
        """
        spellings: dict[tuple[str | None, str], list[tuple[int, str]]] = {}
        for label, target, count in counts:
            spellings.setdefault((target, label.lower()), []).append((-count, label))
        by_class: dict[str | None, list[tuple[int, str]]] = {}
        for (target, _), found in spellings.items():
            rows = sum(count for count, _ in found)
            by_class.setdefault(target, []).append((rows, min(found)[1]))
        sorted_counts = {
            target: {label: -rows for rows, label in sorted(found)}
            for target, found in by_class.items()
        }
        read = {name: sorted_counts[name] for name in classes if name in sorted_counts}
        return cls(column, tuple(classes), read, sorted_counts.get(None, {}), unlabelled)

    def note(self) -> str:
        """One line for the user: which label stands for what, and in how many rows.

        Returns:
            Labels that stand for a class of another name first, then those that are the class,
            then those that were dropped.

        Examples:
            >>> counts = [("W", "angry", 127), ("neutral", "neutral", 79), ("L", None, 81)]
            >>> LabelsRead.of("label", ["angry", "neutral"], counts, 2).note()
            'labels W 127 -> angry; neutral 79; dropped L 81; 2 rows without a label'
        """
        pairs = [(name, *pair) for name, found in self.read.items() for pair in found.items()]
        renamed = [f"{label} {n} -> {name}" for name, label, n in pairs if label.lower() != name]
        same = [f"{name} {n}" for name, label, n in pairs if label.lower() == name]
        dropped = [f"{label} {count}" for label, count in self.dropped.items()]
        parts = [
            ", ".join(renamed),
            ", ".join(same),
            f"dropped {', '.join(dropped)}" if dropped else "",
            f"{counted(self.unlabelled, 'row')} without a label" if self.unlabelled else "",
        ]
        of_column = "" if self.column == LABEL else f" (column {self.column!r})"
        return f"labels {'; '.join(part for part in parts if part)}{of_column}"

    def as_dict(self) -> dict[str, Any]:
        """What is stored with what was made of the labels.

        Returns:
            ``column``, ``read`` (rows by label, by class), ``dropped`` (rows by label) and
            ``unlabelled``.
        """
        return {
            "column": self.column,
            "unlabelled": self.unlabelled,
            "read": {name: dict(found) for name, found in self.read.items()},
            "dropped": dict(self.dropped),
        }


def _flat(read: LabelsRead) -> list[tuple[str, str | None, int]]:
    dropped = [(label, None, count) for label, count in read.dropped.items()]
    found = [(label, name, n) for name, by in read.read.items() for label, n in by.items()]
    return [*found, *dropped]
