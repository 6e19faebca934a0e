"""Messages of one kind over as many streams as it takes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from random import uniform
from typing import TypeVar

import grpc.aio

from carbonline.client.errors import ServerError, Unreachable, server_error
from carbonline.client.no_answer import Server, is_about_silence, no_answer

# The server sends a message at least every ten seconds.
SILENCE_SECONDS_MAX = 25.0
PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 2.0
RESUMABLE = frozenset({"UNAVAILABLE", "CANCELLED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})
OLD = "STREAM_MAXIMUM_AGE"
# The token of the stream has expired. Its file may hold the next one; if not, the next stream is
# refused for the same reason.
EXPIRED = "TOKEN_EXPIRED"
# A server ends its streams in order: because of their age or their token, or because it shuts down.
# The next one goes to a server that is up, if there is one.
ROUTINE = frozenset({OLD, EXPIRED, "DRAINING"})
Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class Broken:
    """A stream has ended, and another one is opened. `is_routine`: its server ended it in order.

    `silent_seconds`: how long ago the server was last heard, if it has kept its connection and
    sent nothing; 0 if the connection ended, since that is told at once.
    """

    reason: str
    is_routine: bool = False
    silent_seconds: float = 0.0


@dataclass(slots=True)
class _Heard:
    """What has come over a stream. `at` is by the loop's clock: when the last message came, over
    this stream or one before, or the first stream was opened.
    """

    at: float
    answered: bool = False
    # Whether the stream broke because nothing came, on a connection that stayed open.
    is_silent: bool = False


async def lasting_stream(
    open_stream: Callable[[], AsyncIterator[Message]], server: Server, patience_seconds: float
) -> AsyncGenerator[Message | Broken, None]:
    """Yields messages for as long as it is read, and Broken between two streams.

    Raises ServerError if the stream is refused, or if no server answers for `patience_seconds`.
    """
    loop = asyncio.get_running_loop()
    pause_seconds = PAUSE_SECONDS_FIRST
    patient_until = loop.time() + patience_seconds
    heard = _Heard(loop.time())
    while True:
        heard.answered = heard.is_silent = False
        try:
            async with aclosing(_one_stream(open_stream(), server, heard)) as messages:
                async for message in messages:
                    yield message
            broken = Broken("the stream ended")
        except ServerError as error:
            is_renewable = error.reason == EXPIRED and heard.answered
            if (error.code not in RESUMABLE and not is_renewable) or error.too_large:
                raise
            # Where nothing has happened, a stream may grow old without a message.
            heard.answered |= error.reason == OLD
            if not heard.answered and loop.time() >= patient_until:
                raise
            broken = Broken(
                error.message or error.code,
                error.reason in ROUTINE and heard.answered,
                loop.time() - heard.at if heard.is_silent else 0.0,
            )
        if heard.answered:
            pause_seconds = PAUSE_SECONDS_FIRST
            patient_until = loop.time() + patience_seconds
        yield broken
        await asyncio.sleep(pause_seconds * uniform(0.5, 1.0))  # noqa: S311  spreads load only
        pause_seconds = min(PAUSE_SECONDS_MAX, 2 * pause_seconds)


async def _one_stream(
    stream: AsyncIterator[Message], server: Server, heard: _Heard
) -> AsyncGenerator[Message, None]:
    messages = aiter(stream)
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS_MAX):
                message = await anext(messages)
        except StopAsyncIteration:
            return
        except TimeoutError:
            heard.is_silent = True
            silent = no_answer(server, "", SILENCE_SECONDS_MAX)
            raise Unreachable("UNAVAILABLE", "", silent, {}, {}, server) from None
        except grpc.aio.AioRpcError as error:
            heard.is_silent = is_about_silence(error.details() or "")
            raise server_error(error, server) from None
        heard.answered = True
        heard.at = asyncio.get_running_loop().time()
        yield message
