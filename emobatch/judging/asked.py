"""The rows of a final table that a language model is asked about."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import polars as pl

from emobatch.errors import TableError
from emobatch.judging.chosen import chosen
from emobatch.judging.exchange import Question
from emobatch.judging.prompt import Prompt
from emobatch.judging.questions import Asker
from emobatch.judging.review import Review
from emobatch.tables import doubled_rows, reading, score_table
from emobatch.tables.judged import is_judged, refuse_foreign, unjudged
from emobatch.tables.label_column import has_given_emotion
from emobatch.tables.score_table import ScoreTable
from emobatch.wording import counted

log = logging.getLogger(__name__)
# Rows that a note names.
MOST_NAMED = 5
NOT_DECIDED = (
    "column 'emotion' is the manifest's, and no final emotion; `emobatch apply` writes final tables"
)


@dataclass(frozen=True)
class Asked:
    """Rows, and what is asked about them.

    Attributes:
        table: as fusion left it.
        asker: makes the questions.
        which: (rows,) whether a row is asked about.
    """

    table: ScoreTable
    asker: Asker
    which: pl.Series

    @classmethod
    def read(cls, sources: Sequence[str], where: str | None, review: Review) -> Self:
        """Read final tables, and choose rows.

        Args:
            sources: final tables, globs or ``-``; a review that is there already is left out.
            where: SQL expression; only rows for which it holds are read.
            review: says which rows, and how they are reviewed.

        Returns:
            The rows.

        Raises:
            TableError: if a table can't be read, or lacks what is needed.
            PromptError: if the prompt can't be read.
        """
        prompt = Prompt.read(review.prompt)
        table = score_table.read(sources, where)
        names = table.rows.collect_schema().names()
        with reading.explained(table.name):
            refuse_foreign(names)
            if has_given_emotion(names):
                raise TableError(NOT_DECIDED)
            if is_judged(names):
                log.warning("note: %s was judged before; that review is replaced", table.name)
            doubled_rows.check(table)
            table = replace(table, rows=unjudged(table.rows))
            which = chosen(table.rows, table.task, review.only, review.share)
        asker = Asker(prompt, table.task, review.model, review.options, review.context)
        return cls(table, asker, which)

    @property
    def count(self) -> int:
        """How many rows are asked about."""
        return int(self.which.sum())

    def questions(self) -> Iterator[Question]:
        """Make the questions, in order of the rows.

        Yields:
            One for each row that is asked about.

        Raises:
            PromptError: if the prompt names what no row has.
        """
        with reading.explained(self.table.name):
            yield from self.asker.questions(self.table.rows, self.which)

    def names(self, rows: Sequence[int]) -> str:
        """Name rows in a note.

        Args:
            rows: their numbers, at least one.

        Returns:
            Their ids, of many the first; their number where the table has no ids.
        """
        if "id" not in self.table.rows.collect_schema():
            return counted(len(rows), "row")
        ids = self.table.rows.select("id").collect(engine="streaming")["id"]
        named = ", ".join(str(ids[row]) for row in rows[:MOST_NAMED])
        more = len(rows) - MOST_NAMED
        return named + (f" and {more} more" if more > 0 else "")
