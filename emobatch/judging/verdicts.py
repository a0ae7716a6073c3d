"""What was answered, as columns of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from emobatch.errors import AnswerError
from emobatch.judging import answer
from emobatch.judging.exchange import Question
from emobatch.tables.judged import FAILED, FUSED, JUDGE, NOT_ASKED, OK, UNREADABLE, VERDICT
from emobatch.tasks.labels import Labels


@dataclass
class Verdicts:
    """What a model says of rows.

    Attributes:
        labels: the classes.
        values: of each column, by row.
    """

    labels: Labels
    values: dict[int, tuple[str | None, float | None, str | None, str]] = field(
        default_factory=dict
    )

    def answered(self, row: int, text: str) -> None:
        """Take an answer.

        Args:
            row: its number.
            text: what the model wrote.
        """
        try:
            said = answer.read(text, self.labels)
        except AnswerError as error:
            self.values[row] = (None, None, str(error), UNREADABLE)
        else:
            self.values[row] = (said.emotion, said.confidence, said.reason, OK)

    def took(self, question: Question, texts: Mapping[str, str]) -> bool:
        """Take the answer to a question, if there is one already.

        Args:
            question: about a row.
            texts: what was answered, by key.

        Returns:
            Whether there was.
        """
        text = texts.get(question.key)
        if text is not None:
            self.answered(question.row, text)
        return text is not None

    def is_readable(self, text: str) -> bool:
        """Say whether there is an answer in a text.

        Args:
            text: what the model wrote.

        Returns:
            Whether its row would get one.
        """
        try:
            answer.read(text, self.labels)
        except AnswerError:
            return False
        return True

    def failed(self, row: int, why: str) -> None:
        """Take note of a row of which there is no answer.

        Args:
            row: its number.
            why: in a few words.
        """
        self.values[row] = (None, None, why, FAILED)

    def count(self, status: str) -> int:
        """Rows of a status.

        Args:
            status: one of :data:`emobatch.tables.judged.STATUSES`.

        Returns:
            How many.
        """
        return sum(value[-1] == status for value in self.values.values())

    def frame(self, rows: int) -> pl.DataFrame:
        """Lay all out.

        Args:
            rows: of the table.

        Returns:
            (rows,) ``judge_emotion``, ``judge_confidence`` (0 to 1), ``judge_reason`` (of a row
            that has none, what went wrong) and ``judge_status``.
        """
        none = (None, None, None, NOT_ASKED)
        said = [self.values.get(row, none) for row in range(rows)]
        return pl.DataFrame(said, schema=dict(VERDICT), orient="row")


def decided(rows: pl.LazyFrame, said: pl.DataFrame, least: float) -> pl.LazyFrame:
    """Let the judge's emotion stand where it is confident enough.

    Args:
        rows: a final table, without a review.
        said: (rows,) what the judge says.
        least: confidence from which its emotion is taken, 0 to 1.

    Returns:
        The rows with ``emotion``, ``decided_by`` (``judge`` where its emotion stands), the judge's
        columns, and ``fused_emotion`` and ``fused_by``, as both were before.
    """
    if "decided_by" not in rows.collect_schema():
        rows = rows.with_columns(decided_by=pl.lit(None, pl.String))
    taken = (pl.col("judge_confidence") >= least).fill_null(False)
    joined = pl.concat([rows, said.lazy()], how="horizontal")
    return joined.with_columns(
        pl.col(name).alias(kept) for name, kept in FUSED.items()
    ).with_columns(
        pl.when(taken).then("judge_emotion").otherwise("emotion").alias("emotion"),
        pl.when(taken).then(pl.lit(JUDGE)).otherwise("decided_by").alias("decided_by"),
    )
