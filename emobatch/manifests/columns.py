"""Which of a manifest's columns has which meaning, where they have other names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from polars import selectors as cs

from emobatch.errors import ManifestError
from emobatch.tasks.labels import nearest


@dataclass(frozen=True)
class ManifestColumns:
    """Columns by what they mean; None for the one of that name, where there is one.

    Attributes:
        path: audio files.
        transcript: what is said.
        speaker: who speaks.
        label: labels, which `score` carries as they are: later commands read them.
    """

    path: str | None = None
    transcript: str | None = None
    speaker: str | None = None
    label: str | None = None

    def named(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Add the columns that emobatch goes by, beside those that were named.

        Args:
            rows: of a manifest.

        Returns:
            The rows with ``path``, ``transcript`` and ``speaker``, after their own columns, where
            another column has these values. None of their own is changed.

        Raises:
            ManifestError: if a column isn't there, or one of that name is there as well.
        """
        names = rows.collect_schema().names()
        meant = {"path": self.path, "transcript": self.transcript, "speaker": self.speaker}
        for meaning, column in {**meant, "label": self.label}.items():
            if column is not None and column not in names:
                raise _missing(column, meaning, names)
        added = {name: column for name, column in meant.items() if column not in (None, name)}
        for name, column in added.items():
            if name in names:
                raise ManifestError(
                    f"has a column {name!r} beside {column!r}, which --{name}-column names; rename "
                    f"or drop {name!r}, or leave the option out"
                )
        # By name and not by expression: a column may be called "*".
        copies = [cs.by_name(str(c)).as_expr().alias(name) for name, c in added.items()]
        return rows.with_columns(copies)


def _missing(column: str, meaning: str, names: Sequence[str]) -> ManifestError:
    near = nearest(column, names)
    meant = f"did you mean {near!r}? " if near else ""
    return ManifestError(
        f"no column {column!r}, which --{meaning}-column names; {meant}the columns are "
        f"{', '.join(names)}"
    )
