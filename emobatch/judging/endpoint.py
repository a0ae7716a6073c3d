"""A language model behind an OpenAI-compatible endpoint, asked many questions at a time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from emobatch.errors import EndpointError, first_line
from emobatch.judging.address import KEYS
from emobatch.judging.prompt import Messages

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)
PATH = "/chat/completions"
# A server of one's own asks for none, and the client wants one.
NO_KEY = "none"
# These statuses say that no other request will do better.
HOPELESS = {
    401: "refuses the key; set EMOBATCH_API_KEY to one that it takes",
    403: "refuses the key; set EMOBATCH_API_KEY to one that it takes",
    404: "knows no such model or address; check --model, and whether --endpoint ends with /v1",
}
AGAIN = "That was not the JSON object. Answer again, with nothing but the JSON object."
END: Final = object()
# Replies that may wait to be stored.
MOST_WAITING = 256


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


@dataclass(frozen=True)
class Endpoint:
    """How a model is reached, and how it is asked.

    Attributes:
        url: of the server, with ``/v1`` where it has that.
        model: its name.
        options: of each request, as the API names them.
        response_format: of each request, as long as the server takes it.
        concurrency: requests at a time.
        timeout: seconds to wait for an answer.
        retries: of a request that failed on the way, or that the server put off.
    """

    url: str
    model: str
    options: Mapping[str, Any]
    response_format: Mapping[str, Any]
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 5

    def ask(
        self, questions: Iterable[Question], is_readable: Callable[[str], bool], spent: Spent
    ) -> Iterator[Reply]:
        """Ask, several questions at a time.

        Args:
            questions: taken as there is room for them.
            is_readable: of what a model wrote; where it isn't, the question is asked once more.
            spent: is counted up, before another question is taken.

        Yields:
            Replies, in the order in which they come.

        Raises:
            EndpointError: if no request can succeed: a key that is refused, a server that can't
                be reached, a model that it hasn't got.
        """
        # In a thread of its own, so that a signal reaches whoever waits for replies.
        crowd = _Crowd(self, iter(questions), is_readable, spent)
        thread = Thread(target=crowd.run, daemon=True)
        thread.start()
        try:
            while (found := crowd.replies.get()) is not END:
                if isinstance(found, BaseException):
                    raise found
                if isinstance(found, Reply):
                    yield found
        finally:
            crowd.is_over = True


class _Crowd:
    """The requests that are under way."""

    def __init__(
        self,
        endpoint: Endpoint,
        questions: Iterator[Question],
        is_readable: Callable[[str], bool],
        spent: Spent,
    ) -> None:
        self.is_over = False
        self.replies: Queue[Reply | BaseException | object] = Queue()
        self._endpoint = endpoint
        self._questions = questions
        self._is_readable = is_readable
        self._spent = spent
        self._takes_schema = True

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # raised again where replies are read
            self.replies.put(error)
        else:
            self.replies.put(END)

    async def _run(self) -> None:
        async with _client(self._endpoint) as client:
            await asyncio.gather(*(self._work(client) for _ in range(self._endpoint.concurrency)))

    async def _work(self, client: AsyncOpenAI) -> None:
        while not self.is_over and (question := next(self._questions, None)) is not None:
            self.replies.put(await self._reply(client, question))
            while self.replies.qsize() > MOST_WAITING and not self.is_over:
                await asyncio.sleep(0.01)  # whoever stores them is behind

    async def _reply(self, client: AsyncOpenAI, question: Question) -> Reply:
        import openai

        messages, text = question.messages, ""
        for _ in ("asked", "asked again"):
            try:
                text = await self._request(client, messages)
            except openai.APIStatusError as error:
                if error.status_code in HOPELESS:
                    why = f"{HOPELESS[error.status_code]} ({error.status_code})"
                    raise EndpointError(f"{self._endpoint.url}: {why}") from error
                return Reply(question, None, f"status {error.status_code}")
            except openai.APIConnectionError as error:
                if _is_lost(error):
                    return Reply(question, None, "the connection was lost before an answer came")
                if isinstance(error, openai.APITimeoutError) and not _is_unreached(error):
                    return Reply(question, None, f"no answer in {self._endpoint.timeout:g} s")
                raise EndpointError(
                    f"{self._endpoint.url}: can't be reached: "
                    f"{first_line(error.__cause__ or error)}; is the server running?"
                ) from error
            if self._is_readable(text):
                break
            said = [{"role": "assistant", "content": text}, {"role": "user", "content": AGAIN}]
            messages = [*question.messages, *said]
        return Reply(question, text)

    async def _request(self, client: AsyncOpenAI, messages: Messages) -> str:
        import openai

        endpoint = self._endpoint
        body = {"model": endpoint.model, "messages": messages, **endpoint.options}
        if self._takes_schema:
            body["response_format"] = endpoint.response_format
        self._spent.requests += 1
        try:
            # Not by the client's typed method, which takes twice as long over each answer.
            said = await client.post(PATH, body=body, cast_to=object)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            if "response_format" not in body:
                raise
            # Not every server holds a model to a schema; the JSON is found in the text.
            if self._takes_schema:
                self._takes_schema = False
                log.info("note: %s takes no JSON schema; asked without one", endpoint.url)
            return await self._request(client, messages)
        text, tokens = _content(said)
        self._spent.tokens += tokens
        return text


def _is_unreached(error: Exception) -> bool:
    # A server that isn't there is a time-out to the client, of a kind of its own.
    return type(error.__cause__).__name__ == "ConnectTimeout"


def _is_lost(error: Exception) -> bool:
    # So is one that took the request and hung up, but for what caused that.
    from aiohttp import ClientConnectorError, ClientOSError, ServerDisconnectedError

    cause = error.__cause__.__cause__ if error.__cause__ else None
    hung_up = isinstance(cause, ServerDisconnectedError | ClientOSError)
    return hung_up and not isinstance(cause, ClientConnectorError)


def _content(said: Any) -> tuple[str, int]:
    # The text of an answer, empty where there is none, and its tokens.
    try:
        text = said["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        text = None
    usage = said.get("usage") if isinstance(said, dict) else None
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    return text if isinstance(text, str) else "", tokens if isinstance(tokens, int) else 0


def _client(endpoint: Endpoint) -> AsyncOpenAI:
    try:
        import openai
    except ModuleNotFoundError as error:
        raise EndpointError(
            "asking a language model needs the package openai; pip install 'emobatch[judge]'"
        ) from error

    return openai.AsyncOpenAI(
        api_key=next((os.environ[name] for name in KEYS if os.environ.get(name)), NO_KEY),
        base_url=endpoint.url,
        timeout=endpoint.timeout,
        max_retries=endpoint.retries,
        http_client=openai.DefaultAioHttpClient(),  # many requests at a time at half the cost
    )
