"""A question, what came of it, and what was spent."""

from __future__ import annotations

from dataclasses import dataclass

from emobatch.judging.prompt import Messages


@dataclass(frozen=True)
class Question:
    """What a model is asked of a row.

    Attributes:
        row: its number.
        key: under which the answer is kept.
        messages: of the chat.
    """

    row: int
    key: str
    messages: Messages


@dataclass(frozen=True)
class Reply:
    """What came of a question.

    Attributes:
        question: as asked.
        text: what the model wrote, None where it didn't answer.
        error: why not.
    """

    question: Question
    text: str | None
    error: str | None = None


@dataclass
class Spent:
    """What was spent so far.

    Attributes:
        requests: that were made; of one that is made again, as a server wants it, one.
        tokens: of prompts and answers, as the server counts them.
    """

    requests: int = 0
    tokens: int = 0
