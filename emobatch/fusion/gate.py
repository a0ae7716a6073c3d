"""A fitted method as a gate: which rows need the text branch at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import ThresholdsError
from emobatch.fusion.file import Fitted, read, to_toml
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class MethodGate:
    """What scoring asks of a method, see :class:`emobatch.scoring.gate.Gate`.

    Attributes:
        name: the thresholds file, for messages.
        fitted: the method in it.
    """

    name: str
    fitted: Fitted

    @property
    def digest(self) -> str:
        """SHA-256 of what decides."""
        return hashlib.sha256(to_toml(self.fitted).encode()).hexdigest()

    @property
    def models(self) -> Mapping[str, Any]:
        """Models that the method was fitted on, by branch; empty where unknown."""
        return self.fitted.fitted.get("models") or {}

    @property
    def task(self) -> Task:
        """The classes that the method decides between."""
        return self.fitted.method.task

    def needs_text(self, rows: pl.DataFrame) -> pl.Series:
        """Say of rows that the speech branch has scored whether the text branch could matter.

        Args:
            rows: with ``speech_*``, ``speech_emotion``, ``entropy`` and ``varentropy`` (nats).

        Returns:
            (rows,) bools.
        """
        return rows.select(self.fitted.method.needs_text().fill_null(False)).to_series()


def read_gate(path: Path) -> MethodGate:
    """Read a thresholds file to gate by.

    Args:
        path: written by `calibrate`.

    Returns:
        The gate.

    Raises:
        ThresholdsError: if it can't be read, or is of attributes.
    """
    fitted = read(path)
    if fitted.method.of_attributes:
        raise ThresholdsError(
            f"{path}: {fitted.method.name} decides attributes of all rows, so that there is "
            "nothing to gate by; name thresholds of emotions"
        )
    return MethodGate(str(path), fitted)
