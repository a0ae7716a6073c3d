"""Questions and answers as files of the OpenAI Batch API, for those who need no answer today."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from emobatch.errors import TableError
from emobatch.judging.exchange import Question
from emobatch.tables import reading
from emobatch.tables.replacing import replacing

log = logging.getLogger(__name__)
URL = "/v1/chat/completions"


def write(
    questions: Iterable[Question], target: Path, model: str, options: Mapping[str, Any]
) -> int:
    """Write questions, a request to a line.

    Args:
        questions: to be asked.
        target: the file.
        model: that is asked.
        options: of each request.

    Returns:
        How many there are.

    Raises:
        TableError: if it can't be written.
    """
    count = 0
    with replacing(target) as partial, partial.open("w", encoding="utf-8") as handle:
        for question in questions:
            body = {"model": model, "messages": question.messages, **options}
            # The key comes first: answers are told apart by it, whatever became of the table.
            request = {"custom_id": question.key, "method": "POST", "url": URL, "body": body}
            handle.write(json.dumps(request, ensure_ascii=False) + "\n")
            count += 1
    return count


def read(source: Path) -> Iterator[tuple[str, str | None, str]]:
    """Read answers.

    Args:
        source: a file of results, in any order.

    Yields:
        Of each its key, the text (None where the request failed), and what went wrong.

    Raises:
        TableError: if it isn't such a file; names the line.
    """
    with reading.explained(str(source)), source.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip():
                continue
            try:
                result = json.loads(line)
                key = result["custom_id"]
                if not isinstance(key, str):
                    raise TypeError
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise TableError(
                    f"line {number} is no result of a batch: an object with custom_id is wanted; "
                    "give the file that the Batch API wrote"
                ) from error
            yield key, *_content(result)


def _content(result: Mapping[str, Any]) -> tuple[str | None, str]:
    response = result.get("response") or {}
    if result.get("error") or response.get("status_code") != 200:
        said = result.get("error") or (response.get("body") or {}).get("error") or response
        message = said.get("message") if isinstance(said, Mapping) else None
        return None, str(message or said)
    try:
        text = response["body"]["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return None, "an answer without a message"
    return (text, "") if isinstance(text, str) else (None, "an answer without a text")
