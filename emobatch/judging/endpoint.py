"""A language model behind an OpenAI-compatible endpoint, asked many questions at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from emobatch.judging.chat import Chat, NoAnswerError
from emobatch.judging.exchange import Question, Reply, Spent
from emobatch.judging.prompt import Messages

log = logging.getLogger(__name__)
# With these a server refuses what it can't read: a JSON schema, or all.
NO_SCHEMA = (400, 422)
AGAIN = "That was not the JSON object. Answer again, with nothing but the JSON object."


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
        self,
        questions: Iterable[Question],
        take: Callable[[Reply], None],
        is_readable: Callable[[str], bool],
        spent: Spent,
    ) -> None:
        """Ask, several questions at a time.

        Questions are made and replies are taken in one thread, which isn't the caller's, so that a
        signal reaches the caller at once; no reply is taken after this has ended.

        Args:
            questions: taken as there is room for them.
            take: is given replies, in the order in which they come.
            is_readable: of what a model wrote; where it isn't, the question is asked once more.
            spent: is counted up, before another question is taken.

        Raises:
            EndpointError: if no request can succeed: a key that is refused, a server that can't
                be reached, a model that it hasn't got.
        """
        crowd = _Crowd(self, iter(questions), take, is_readable, spent)
        Thread(target=crowd.run, daemon=True).start()
        try:
            error = crowd.ended.get()
        finally:
            crowd.stop()
        if error is not None:
            raise error


class _Crowd:
    """The requests that are under way."""

    def __init__(
        self,
        endpoint: Endpoint,
        questions: Iterator[Question],
        take: Callable[[Reply], None],
        is_readable: Callable[[str], bool],
        spent: Spent,
    ) -> None:
        self.ended: SimpleQueue[BaseException | None] = SimpleQueue()
        self._endpoint = endpoint
        self._questions = questions
        self._take = take
        self._is_readable = is_readable
        self._spent = spent
        self._takes_schema = True
        self._is_over = False
        self._lock = Lock()

    def stop(self) -> None:
        with self._lock:
            self._is_over = True

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # raised again where the end is waited for
            self.ended.put(error)
        else:
            self.ended.put(None)

    async def _run(self) -> None:
        endpoint = self._endpoint
        async with Chat(endpoint.url, endpoint.timeout, endpoint.retries) as chat:
            await asyncio.gather(*(self._work(chat) for _ in range(endpoint.concurrency)))

    async def _work(self, chat: Chat) -> None:
        while (question := self._next()) is not None:
            reply = await self._reply(chat, question)
            with self._lock:
                if not self._is_over:
                    self._take(reply)

    def _next(self) -> Question | None:
        with self._lock:
            return None if self._is_over else next(self._questions, None)

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
