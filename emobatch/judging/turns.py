"""The turns around a row: what was said before and after it in the same dialogue."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from emobatch.errors import TableError

DIALOGUE = "dialogue"
# By which turns are in order, the first that the table has; else by its rows.
ORDERS = ("turn", "start")
# As in IEMOCAP: Ses05M_script03_2_M045 is of dialogue Ses05M_script03_2.
BY_ID = r"^(Ses\d\d[FM]_\w+?)_[FM]\d+$"


@dataclass(frozen=True)
class Turn:
    """What somebody said.

    Attributes:
        speaker: who, empty where unknown.
        transcript: what.
    """

    speaker: str
    transcript: str


@dataclass(frozen=True)
class Turns:
    """The rows of a table by dialogue, in order.

    Attributes:
        turns: of each row.
        place: (rows,) of the row in ``order``, null for one that is in no dialogue.
        order: numbers of rows, one dialogue after the other.
        dialogue: (rows,) which dialogue.
    """

    turns: list[Turn]
    place: list[int | None]
    order: list[int]
    dialogue: list[str | None]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Turns:
        """Sort a table's rows into dialogues.

        Args:
            rows: with ``transcript``, and ``dialogue`` or ids like IEMOCAP's.

        Returns:
            The turns.

        Raises:
            TableError: if no row says which dialogue it is of.
        """
        names = rows.columns
        if DIALOGUE in names:
            dialogue = rows[DIALOGUE].cast(pl.String)
        elif "id" in names:
            dialogue = rows["id"].cast(pl.String).str.extract(BY_ID)
        else:
            dialogue = pl.Series([None] * len(rows), dtype=pl.String)
        if dialogue.null_count() == len(rows):
            raise TableError(
                "--context: no row says its dialogue, nor are ids like IEMOCAP's; add a column "
                "'dialogue', and 'turn' where rows aren't in order"
            )
        by = next((name for name in ORDERS if name in names), None)
        key = pl.int_range(pl.len()) if by is None else pl.col(by).cast(pl.Float64, strict=False)
        frame = rows.select(key.alias("key")).with_columns(dialogue=dialogue).with_row_index("row")
        told = frame.filter(pl.col("dialogue").is_not_null())
        order = told.sort("dialogue", "key", "row", nulls_last=True)["row"].to_list()
        place: list[int | None] = [None] * len(rows)
        for number, row in enumerate(order):
            place[row] = number
        speakers = rows["speaker"].cast(pl.String) if "speaker" in names else [None] * len(rows)
        said = rows["transcript"].cast(pl.String)
        turns = [Turn(who or "", what or "") for who, what in zip(speakers, said, strict=True)]
        return cls(turns, place, order, dialogue.to_list())

    def around(self, row: int, count: int) -> tuple[list[Turn], list[Turn]]:
        """The turns before and after a row.

        Args:
            row: its number.
            count: of turns on either side, at most.

        Returns:
            Those before it and those after it, in order; those that say nothing are left out.
        """
        place = self.place[row]
        if place is None:
            return [], []
        before = self.order[max(0, place - count) : place]
        after = self.order[place + 1 : place + 1 + count]
        return self._of(before, row), self._of(after, row)

    def _of(self, rows: list[int], row: int) -> list[Turn]:
        mine = self.dialogue[row]
        return [
            self.turns[each]
            for each in rows
            if self.dialogue[each] == mine and self.turns[each].transcript
        ]
