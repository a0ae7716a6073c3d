"""What a language model is told of each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from emobatch.judging.answers import key_of
from emobatch.judging.description import COLUMNS, describe, medians
from emobatch.judging.exchange import Question
from emobatch.judging.prompt import Prompt
from emobatch.judging.turns import DIALOGUE, ORDERS, Turns
from emobatch.tasks.spellings import SENTIMENTS
from emobatch.tasks.task import Task

# Of one token, about, in English.
CHARACTERS = 4


@dataclass(frozen=True)
class Asker:
    """Makes questions of rows.

    Attributes:
        prompt: the template.
        task: the classes.
        model: name of the one that is asked.
        options: of each request.
        context: turns before and after a row that are shown.
    """

    prompt: Prompt
    task: Task
    model: str
    options: Mapping[str, Any]
    context: int = 0

    def questions(self, rows: pl.LazyFrame, chosen: pl.Series) -> Iterator[Question]:
        """Ask of rows.

        Args:
            rows: a final table.
            chosen: (rows,) which of them.

        Yields:
            A question for each, in order.
        """
        table = rows.select(self._columns(rows)).collect(engine="streaming")
        usual = medians(table)
        turns = Turns.of(table) if self.context else None
        options = {**self.options, "prompt": self.prompt.digest}
        for number, row in zip(
            chosen.arg_true(), table.filter(chosen).iter_rows(named=True), strict=True
        ):
            told = self._told(row, usual)
            before, after = turns.around(number, self.context) if turns else ([], [])
            messages = self.prompt.messages({**told, "before": before, "after": after})
            yield Question(number, key_of(self.model, options, messages), messages)

    def _columns(self, rows: pl.LazyFrame) -> list[str]:
        wanted = {
            *("id", "speaker", DIALOGUE, *ORDERS, "transcript", "emotion", *COLUMNS),
            *self.task.speech_columns,
            *self.task.text_columns,
            *(f"text_{name}" for name in SENTIMENTS),
        }
        return [name for name in rows.collect_schema() if name in wanted]

    def _told(self, row: Mapping[str, Any], usual: Mapping[str, Mapping[str, float]]) -> Any:
        speaker = row.get("speaker")
        speaker = None if speaker is None else str(speaker)
        classes = self.task.classes
        sentiments = _probabilities(row, SENTIMENTS, "text")
        return {
            "classes": list(classes),
            "transcript": str(row["transcript"]),
            "speaker": speaker,
            "description": describe(row, usual.get(speaker or "", {})),
            "speech": _probabilities(row, classes, "speech"),
            "text": _probabilities(row, classes, "text") or sentiments,
            "final": row.get("emotion"),
        }


def _probabilities(row: Mapping[str, Any], names: tuple[str, ...], branch: str) -> dict[str, float]:
    found = {name: row.get(f"{branch}_{name}") for name in names}
    return {name: float(value) for name, value in found.items() if value is not None}


def tokens(questions: list[Question]) -> float:
    """About how many tokens a question has, at four characters each.

    Args:
        questions: some.

    Returns:
        Their mean; 0 of none.
    """
    sizes = [sum(len(each["content"]) for each in asked.messages) for asked in questions]
    return sum(sizes) / CHARACTERS / len(sizes) if sizes else 0.0
