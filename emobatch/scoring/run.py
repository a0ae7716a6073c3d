"""A run: the manifest, models and options that a score table is made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from emobatch.manifests import manifest
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.reading import Reading
from emobatch.manifests.shards import Shard
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring import sharing, whole
from emobatch.scoring.made_with import trained
from emobatch.scoring.rows import OF_APPLY, written
from emobatch.tables import writing
from emobatch.tables.label_column import OPTION as LABEL_COLUMN


@dataclass(frozen=True)
class Run:
    """A manifest that is to be scored, and what is stored with its table.

    Attributes:
        rows: the manifest, or one job's part of it.
        target: the table, None for standard output.
        label: column that later commands read labels from, None for the usual one.
        shard: which part it is, as is stored with its table; None for all rows.
        trained: what its models say they were trained on, once they are known.
    """

    rows: Manifest
    target: Path | None
    label: str | None
    shard: Mapping[str, Any] | None = None
    trained: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(
        cls, source: str, target: Path | None, choice: Choice, how: Reading, shard: Shard | None
    ) -> Self:
        """Read the manifest.

        Args:
            source: as the user named it, ``-`` for standard input.
            target: the table, None for standard output.
            choice: models and options, by which shards are cut.
            how: it is read.
            shard: the part that is scored, None for all rows.

        Returns:
            The run.

        Raises:
            EmobatchError: if it can't be read, or its columns not be written to the table.
        """
        rows, part = manifest.read(source, how), None
        writing.check_columns(rows.rows.collect_schema(), target)
        if shard is not None:
            rows, part = sharing.take(shard, rows, choice, target)
        rows.refuse_columns(OF_APPLY)
        return cls(rows, target, how.columns.label, part)

    def of_models(self, plan: Plan) -> Self:
        """The same run, now that its models are there.

        Args:
            plan: what they add to rows.

        Returns:
            The run.

        Raises:
            ManifestError: if the manifest has columns that they would write.
        """
        self.rows.refuse_columns(written(plan))
        return replace(self, trained=trained(plan))

    def stored(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """Say what its table is made with.

        Args:
            made: models and options, as far as they are known.

        Returns:
            What is stored with the table.
        """
        stored = {**made, "manifest": self._digest}
        if self.label is not None:
            # Later commands read labels from the column that this one was told of.
            stored["options"] = {**made["options"], LABEL_COLUMN: self.label}
        if self.shard is not None:
            stored["shard"] = self.shard
        if self.trained:
            stored["trained"] = self.trained
        return stored

    def is_whole(self, made: Mapping[str, Any]) -> bool:
        """Whether its table is there already: then models are neither fetched nor loaded.

        Args:
            made: models and options, as far as they are known.

        Returns:
            True where nothing is left to do, which is noted.

        Raises:
            ResumeError: if there is a table that isn't this run's, or was changed.
        """
        if self.target is None:
            return False
        return whole.is_surely_whole(self.target, self.stored(made), self.rows)

    @cached_property
    def _digest(self) -> str:
        return self.rows.digest()
