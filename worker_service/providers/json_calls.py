"""Calls of a service that speaks JSON over HTTP: bounded, and repeated with backoff."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from worker_service.mechanics.backoff import Backoff
from worker_service.providers.provider import ProviderRefused, ProviderUnavailable
from worker_service.providers.secret import without

# How often a request is sent before the job waits for its own, longer backoff.
TRIES_MAX = 5
PAUSE_SECONDS_MAX = 20.0
ANSWER_BYTES_MAX = 64 << 20
READ_BYTES = 256 << 10
SAID_CHARACTERS_MAX = 200
DIGITS_MAX = 300
# The service is busy, restarts, or stands behind a proxy that cannot reach it.
_PASSES = frozenset({408, 425, 429})


class NotSignedIn(Exception):
    """The service no longer knows who asks: its answer to a credential that has expired."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request. `says` is what it is for, as in "The travel API did not answer when ...".

    `path` is below the address of the service; "" for that address as it is written, since one that
    ends in / is another than one that does not.

    `secrets` are never repeated, whatever the service answers.
    """

    method: str
    path: str
    says: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    secrets: tuple[str, ...] = ()


class JsonCalls:
    """Sends requests to one service. `service` is its name in sentences.

    Follows no redirect, because it would take the credentials elsewhere.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        service: str,
        url: str,
        check: Callable[[], None],
        first_pause_seconds: float,
    ) -> None:
        self._session = session
        self._service = service
        self._url = url
        self._check = check
        self._first_pause_seconds = first_pause_seconds

    async def answer(self, exchange: Exchange) -> Any:
        """The decoded answer. A fault that passes is met with up to TRIES_MAX tries.

        Raises ProviderUnavailable after the last, ProviderRefused for a fault that stays, and
        NotSignedIn for 401.
        """
        backoff = Backoff(self._first_pause_seconds, PAUSE_SECONDS_MAX)
        while True:
            self._check()
            try:
                return await self._sent(exchange)
            except _Passes as fault:
                if backoff.tries >= TRIES_MAX - 1:
                    raise ProviderUnavailable(f"{fault} {TRIES_MAX} tries were made.") from fault
                pause = max(backoff.next_seconds(), fault.wait_seconds)
            await asyncio.sleep(pause)

    async def _sent(self, exchange: Exchange) -> Any:
        while_ = f"when asked {exchange.says}"
        try:
            async with self._session.request(
                exchange.method,
                f"{self._url.rstrip('/')}{exchange.path}" if exchange.path else self._url,
                json=exchange.body,
                params=exchange.query,
                headers=exchange.headers,
                allow_redirects=False,
            ) as response:
                content = await self._content(response, while_)
                status, wait = response.status, response.headers.get("Retry-After", "")
        except aiohttp.ClientSSLError as error:
            raise ProviderRefused(
                "service_not_trusted",
                f"{self._service} has a certificate that this worker does not trust. SSL_CERT_FILE"
                " names a file with others.",
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            how = "in time" if isinstance(error, TimeoutError) else f"({type(error).__name__})"
            raise _Passes(f"{self._service} did not answer {how} {while_}.") from error
        if status == HTTPStatus.OK:
            return await self._decoded(content, while_)
        if status == HTTPStatus.UNAUTHORIZED:
            raise NotSignedIn
        said = without(_words_of(content), *exchange.secrets)
        sentence = f"{self._service} answered {status}{said} {while_}."
        if status in _PASSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Passes(sentence, _seconds(wait))
        raise ProviderRefused("service_refused", sentence)

    async def _content(self, response: aiohttp.ClientResponse, while_: str) -> bytes:
        content = bytearray()
        async for piece in response.content.iter_chunked(READ_BYTES):
            content += piece
            if len(content) > ANSWER_BYTES_MAX:
                raise ProviderRefused(
                    "answer_too_large",
                    f"{self._service} answered more than {ANSWER_BYTES_MAX:,} bytes {while_}.",
                )
        return bytes(content)

    async def _decoded(self, content: bytes, while_: str) -> Any:
        try:
            # An answer of megabytes takes longer than a heartbeat may be late.
            return await asyncio.to_thread(json.loads, content, parse_int=_whole_number)
        except (ValueError, RecursionError) as error:
            raise ProviderRefused(
                "answer_unreadable", f"{self._service} answered something else than JSON {while_}."
            ) from error


class _Passes(Exception):
    """A fault that may pass. The service asks to wait for `wait_seconds`."""

    def __init__(self, message: str, wait_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


@asynccontextmanager
async def json_session(timeout_seconds: float) -> AsyncIterator[aiohttp.ClientSession]:
    """A session in which a request, its answer included, takes at most `timeout_seconds`.

    Proxies are those of HTTPS_PROXY and HTTP_PROXY.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    async with aiohttp.ClientSession(
        timeout=timeout, trust_env=True, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session


def _words_of(content: bytes) -> str:
    """What the service says of its error, on one line in brackets; "" for nothing to show."""
    try:
        answer = json.loads(content[: 16 << 10])
    except (ValueError, RecursionError):
        return ""
    error = answer.get("error", answer) if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return ""
    code = error.get("errorCode") or error.get("code") or ""
    text = error.get("message") or error.get("detail") or error.get("summary") or ""
    said = ": ".join(str(part) for part in (code, text) if part and isinstance(part, (str, int)))
    line = "".join(c if c.isprintable() else " " for c in said).strip().rstrip(".")
    return f" ({line[:SAID_CHARACTERS_MAX]})" if line else ""


def _whole_number(text: str) -> int | str:
    """One with more digits than anything counts stays a text: it must not cost the answer."""
    return int(text) if len(text) <= DIGITS_MAX else text


def _seconds(retry_after: str) -> float:
    return min(float(retry_after), PAUSE_SECONDS_MAX) if retry_after.isdecimal() else 0.0
