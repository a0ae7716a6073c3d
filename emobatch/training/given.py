"""Which rows of which manifest a user gives to a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emobatch.errors import TableError
from emobatch.manifests import manifest
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.reading import AS_IT_IS, Reading
from emobatch.splits.roles import FOLD_COLUMN, TRAIN, VAL
from emobatch.tasks import choose as tasks
from emobatch.training.goals.attributes import Attributes
from emobatch.training.goals.categories import LABEL, Categories
from emobatch.training.goals.goal import Goal
from emobatch.training.options import SPEECH, Options
from emobatch.training.rows import Chosen, choose


@dataclass(frozen=True)
class Rows:
    """Which rows of which manifest.

    Attributes:
        source: the manifest.
        how: it is read.
        fold: of a manifest of several folds, the one that is trained; None where there is one.
        train_where: SQL expression of rows that are trained on; None for the split ``train``.
        val_where: the same of rows that validate.
        classes: as for :func:`emobatch.tasks.choose.named`.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        scores: a score table whose transcripts are taken, None for the manifest's.
        cache: folder of decoded audio, None for none.
    """

    source: str
    how: Reading = AS_IT_IS
    fold: str | None = None
    train_where: str | None = None
    val_where: str | None = None
    classes: str = tasks.DEFAULT
    label_map: Sequence[str] = ()
    scores: str | None = None
    cache: Path | None = None

    def read(self) -> Manifest:
        """Read the manifest, of one fold where that is wanted.

        Returns:
            Its rows, checked.

        Raises:
            EmobatchError: if it can't be read, or its rows make no sense.
        """
        if self.fold is None:
            return manifest.read(self.source, self.how)
        quoted = self.fold.replace("'", "''")
        where = f"CAST({FOLD_COLUMN} AS VARCHAR) = '{quoted}'"
        try:
            return manifest.read(self.source, replace(self.how, where=where))
        except TableError as error:
            raise error.named(f"--fold {self.fold}") from None

    def choose(self, read: Manifest, options: Options) -> Chosen:
        """Choose rows that are trained on, and that validate.

        Args:
            read: the manifest.
            options: what is learned, and of which branch.

        Returns:
            The rows; of a text model those of which something is said, with a column ``text``.

        Raises:
            EmobatchError: if there are too few, or a column is missing.
        """
        goal: Goal
        if options.attributes:
            goal = Attributes(options.attributes)
        else:
            column = self.how.columns.label or LABEL
            goal = Categories(tasks.named(self.classes), column, self.label_map)
        chosen = choose(
            read.rows.collect(), goal, train_where=self.train_where, val_where=self.val_where
        )
        if options.branch == SPEECH:
            return chosen
        from emobatch.training.texts import with_texts

        (of_train, silent), (of_val, others) = (
            with_texts(chosen.of(split), self.scores, options.clean, options.language)
            for split in (TRAIN, VAL)
        )
        chosen = Chosen(of_train, of_val, goal).without([*silent, *others])
        chosen.check()
        return chosen
