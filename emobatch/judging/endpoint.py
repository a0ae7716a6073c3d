"""A language model behind an OpenAI-compatible endpoint, asked many questions at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from queue import Queue
from threading import Thread
from typing import Any, Final

from emobatch.judging.chat import Chat, NoAnswerError
from emobatch.judging.exchange import Question, Reply, Spent
from emobatch.judging.prompt import Messages

log = logging.getLogger(__name__)
# With these a server refuses what it can't read: a JSON schema, or all.
NO_SCHEMA = (400, 422)
AGAIN = "That was not the JSON object. Answer again, with nothing but the JSON object."
END: Final = object()
# Replies that may wait to be stored.
MOST_WAITING = 256


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
        endpoint = self._endpoint
        async with Chat(endpoint.url, endpoint.timeout, endpoint.retries) as chat:
            await asyncio.gather(*(self._work(chat) for _ in range(endpoint.concurrency)))

    async def _work(self, chat: Chat) -> None:
        while not self.is_over and (question := next(self._questions, None)) is not None:
            self.replies.put(await self._reply(chat, question))
            while self.replies.qsize() > MOST_WAITING and not self.is_over:
                await asyncio.sleep(0.01)  # whoever stores them is behind

    async def _reply(self, chat: Chat, question: Question) -> Reply:
        messages, text = question.messages, ""
        for _ in ("asked", "asked again"):
            try:
                text = await self._request(chat, messages)
            except NoAnswerError as error:
                return Reply(question, None, str(error))
            if self._is_readable(text):
                break
            said = [{"role": "assistant", "content": text}, {"role": "user", "content": AGAIN}]
            messages = [*question.messages, *said]
        return Reply(question, text)

    async def _request(self, chat: Chat, messages: Messages) -> str:
        endpoint = self._endpoint
        body = {"model": endpoint.model, "messages": messages, **endpoint.options}
        if self._takes_schema:
            body["response_format"] = endpoint.response_format
        self._spent.requests += 1
        try:
            text, tokens = await chat.complete(body)
        except NoAnswerError as error:
            if error.status not in NO_SCHEMA or "response_format" not in body:
                raise
            # Not every server holds a model to a schema; the JSON is found in the text.
            if self._takes_schema:
                self._takes_schema = False
                log.info("note: %s takes no JSON schema; asked without one", endpoint.url)
            return await self._request(chat, messages)
        self._spent.tokens += tokens
        return text
