"""Chat completions of an OpenAI-compatible server, each asked for again where it is put off."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from emobatch.errors import EndpointError, first_line
from emobatch.judging.address import KEYS, is_loopback

PATH = "/chat/completions"
# These statuses say that no other request will do better.
HOPELESS = {
    **dict.fromkeys((301, 302, 307, 308), "is elsewhere; set --endpoint to where it is"),
    **dict.fromkeys((401, 403), "refuses the key; set EMOBATCH_API_KEY to one that it takes"),
    404: "knows no such model or address; check --model, and whether --endpoint ends with /v1",
}
# Others than these, and than 500 and above, mean the same request's failure again.
PUT_OFF = (408, 409, 429)
CONNECT_SECONDS = 10.0
# Between two tries: without a word of the server's own, and whatever it says.
FIRST_WAIT, USUAL_WAIT, LONGEST_WAIT = 0.5, 8.0, 60.0


class NoAnswerError(Exception):
    """No answer came, and why.

    Attributes:
        status: of the server's, None where there is none.
        after: seconds that the server wants to be left alone, None where it doesn't say.
    """

    def __init__(self, why: str, status: int | None = None, after: float | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.after = after


class UnreachedError(NoAnswerError):
    """Nobody is there."""


class Chat:
    """A server, and connections to it.

    The ``openai`` package spends three to four times as much of the processor on a request, which
    is more than a fast server leaves time for: see ``tests/benchmarks/judge.py``.
    """

    def __init__(self, url: str, timeout: float, retries: int) -> None:
        """Say where it is.

        Args:
            url: with ``/v1`` where the server has that.
            timeout: seconds to wait for an answer.
            retries: of a request that failed on the way, or that the server put off.
        """
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._retrying = AsyncRetrying(
            stop=stop_after_attempt(retries + 1),
            wait=_wait,
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )

    async def __aenter__(self) -> Self:
        """Make ready for connections."""
        connect = min(CONNECT_SECONDS, self._timeout)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key := next((os.environ[name] for name in KEYS if os.environ.get(name)), None):
            headers["Authorization"] = f"Bearer {key}"
        self._session = ClientSession(
            headers=headers,
            connector=TCPConnector(limit=0),  # whoever asks says how many at a time
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(
                total=connect + 2 * self._timeout, sock_connect=connect, sock_read=self._timeout
            ),
            # A proxy is another machine, and has no business with a server on this one.
            trust_env=not is_loopback(self._url),
        )
        return self

    async def __aexit__(self, *raised: object) -> None:
        """Close the connections."""
        await self._session.close()

    async def complete(self, body: Mapping[str, Any]) -> tuple[str, int]:
        """Ask for one completion.

        Args:
            body: of the request.

        Returns:
            What the model wrote, empty where that is nothing, and tokens spent, as the server
            counts them.

        Raises:
            NoAnswerError: if none came, after all tries.
            EndpointError: if no other request will fare better.
        """
        try:
            return _content(await self._retrying(self._post, json.dumps(body).encode()))
        except UnreachedError as error:
            raise EndpointError(
                f"{self._url}: can't be reached: {error}; is the server running?"
            ) from error
        except NoAnswerError as error:
            if error.status not in HOPELESS:
                raise
            why = f"{HOPELESS[error.status]} ({error.status})"
            raise EndpointError(f"{self._url}: {why}") from error

    async def _post(self, body: bytes) -> bytes:
        asked = self._session.post(self._url + PATH, data=body, allow_redirects=False)
        try:
            async with asked as response:
                content = await response.read()
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise UnreachedError(first_line(error)) from error
        except TimeoutError as error:
            raise NoAnswerError(f"no answer in {self._timeout:g} s") from error
        except (ServerDisconnectedError, ClientOSError, ClientPayloadError) as error:
            raise NoAnswerError("the connection was lost before an answer came") from error
        except ClientError as error:
            raise NoAnswerError(f"no answer that can be read: {first_line(error)}") from error
        if response.status >= 300:
            after = seconds_to_wait(response.headers.get("Retry-After"), datetime.now(UTC))
            raise NoAnswerError(f"status {response.status}", response.status, after)
        return content


def seconds_to_wait(header: str | None, now: datetime) -> float | None:
    """Read how long a server wants to be left alone.

    Args:
        header: ``Retry-After`` (RFC 9110, 10.2.3): seconds or a date; None where it says nothing.
        now: the time.

    Returns:
        Seconds, a minute at most; None where it says nothing that can be read.

    Examples:
        >>> seconds_to_wait("1.5", datetime.now(UTC))
        1.5
        >>> seconds_to_wait("Sun, 22 Nov 2026 10:00:09 GMT", datetime(2026, 11, 22, 10, tzinfo=UTC))
        9.0
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - now).total_seconds()
        except (ValueError, TypeError):  # TypeError: of a date without a zone
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else None


def _may_pass(error: BaseException) -> bool:
    if not isinstance(error, NoAnswerError):
        return False
    return error.status is None or error.status in PUT_OFF or error.status >= 500


def _wait(state: RetryCallState) -> float:
    # As long as the server wants, else longer each time, and not all at once.
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, NoAnswerError) and error.after is not None:
        return error.after
    return wait_exponential_jitter(FIRST_WAIT, USUAL_WAIT, jitter=FIRST_WAIT)(state)


def _content(answer: bytes) -> tuple[str, int]:
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        return "", 0
    try:
        text = said["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        text = None
    usage = said.get("usage") if isinstance(said, dict) else None
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    return text if isinstance(text, str) else "", tokens if isinstance(tokens, int) else 0
