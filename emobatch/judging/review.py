"""How rows are reviewed by a language model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emobatch.judging.names import ALL, LEAST_CONFIDENCE


@dataclass(frozen=True)
class Review:
    """How rows are reviewed.

    Attributes:
        model: its name.
        endpoint: where it is, None where nothing is asked.
        prompt: file of a template, None for the one that comes with emobatch.
        only: which rows, one of :data:`emobatch.judging.names.ONLY`.
        share: of the rows that are unsure, 0 to 1.
        context: turns before and after a row that are shown.
        temperature: of the model.
        seed: of the model.
        answer_tokens: that an answer may have.
        least: confidence from which the judge's emotion is taken, 0 to 1.
        concurrency: requests at a time.
        timeout: seconds to wait for an answer.
        retries: of a request that the server puts off.
        most_requests: in this run, None for as many as are needed.
        most_tokens: the same of tokens, as the server counts them.
        offline: ask no other machine.
    """

    model: str
    endpoint: str | None = None
    prompt: Path | None = None
    only: str = ALL
    share: float = 0.1
    context: int = 0
    temperature: float = 0.3
    seed: int = 0
    answer_tokens: int = 512
    least: float = LEAST_CONFIDENCE
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 5
    most_requests: int | None = None
    most_tokens: int | None = None
    offline: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """What each request says of how to answer."""
        return {
            "temperature": self.temperature,
            "seed": self.seed,
            "max_tokens": self.answer_tokens,
        }
