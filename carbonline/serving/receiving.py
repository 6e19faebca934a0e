"""Receives the requests of a call, and answers the caller whose request does not come."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.calls_in_flight import call_of_this_task
from carbonline.serving.errors import RpcError, abort

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


# The requests of health and reflection come with the headers of their call.
CROWDED_SECONDS = 0.1
REST_SECONDS = 1.0
RESTS_OF_STRANGERS_MAX = 16


class Senders:
    """The calls whose request has not come."""

    def __init__(self, seconds: float, crowded: Callable[[], bool] | None = None) -> None:
        """A request must have come whole after so many seconds. While it is `crowded`, because
        other calls wait to be received, it must have come after CROWDED_SECONDS.
        """
        self._seconds = seconds
        self._crowded = crowded
        # Since when each is received; the one that has waited longest is first.
        self._since: dict[Context, float] = {}
        self._look: asyncio.TimerHandle | None = None
        # A task that nobody holds may be collected before it has run.
        self._answers: set[asyncio.Task[None]] = set()

    async def request(self, context: Context) -> Any:
        """The one request of a call. Raises as `next`, and RpcError FIELD_INVALID if the caller
        sends none.
        """
        request = await self.next(context)
        if request is grpc.aio.EOF:
            raise RpcError("FIELD_INVALID", "the call has no request; send one message")
        return request

    async def next(self, context: Context) -> Any:
        """The next request of a call, or grpc.aio.EOF.

        Raises grpc.aio.AbortError if it comes too late: its caller has been answered with
        SENDER_TOO_SLOW.
        """
        loop = asyncio.get_running_loop()
        self._since[context] = loop.time()
        # One timer for all of them: thousands of calls a second come at once.
        if self._look is None:
            self._look = loop.call_later(self._pause(), self._answer_the_late, loop)
        try:
            return await context.read()
        finally:
            self._since.pop(context, None)

    async def each(self, context: Context) -> AsyncIterator[Any]:
        """The requests of a call. Each is received when there is room for it."""
        call = call_of_this_task()
        while True:
            if call is not None:
                await call.until_it_may_be_received()
            request = await self.next(context)
            if request is grpc.aio.EOF:
                return
            yield request

    def _pause(self, left: float = math.inf) -> float:
        """Until the next look: nobody tells when it becomes crowded."""
        return min(left, self._seconds, math.inf if self._crowded is None else CROWDED_SECONDS)

    def _answer_the_late(self, loop: asyncio.AbstractEventLoop) -> None:
        seconds = self._seconds
        if self._crowded is not None and self._crowded():
            seconds = min(seconds, CROWDED_SECONDS)
        for context, since in tuple(self._since.items()):
            left = since + seconds - loop.time()
            if left > 0:
                self._look = loop.call_later(self._pause(left), self._answer_the_late, loop)
                return
            del self._since[context]
            # The status ends the read: a read that is cancelled goes on inside gRPC.
            answer = loop.create_task(self._answer(context, seconds))
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)
        self._look = None

    async def _answer(self, context: Context, seconds: float) -> None:
        message = f"the request had not come whole after {seconds:g} s; send it faster"
        # Sent by now, or its caller has hung up.
        with suppress(grpc.aio.AbortError, grpc.aio.UsageError, grpc.aio.InternalError):
            await abort(context, RpcError("SENDER_TOO_SLOW", message))


class Rests:
    """What refused senders still send. A sender that is cut off may see only the cut, which gRPC's
    own clients report as INTERNAL, and not the answer.
    """

    def __init__(self) -> None:
        """Nobody sends."""
        self._of_strangers = 0

    async def receive(self, context: Context, *, of_stranger: bool) -> None:
        """Receive until the sender has sent all, for at most REST_SECONDS. Few strangers at once
        get so much attention; the others are cut off.
        """
        if of_stranger and self._of_strangers >= RESTS_OF_STRANGERS_MAX:
            return
        self._of_strangers += of_stranger
        try:
            # The sender has hung up, or a read that was given up goes on inside gRPC.
            with suppress(TimeoutError, grpc.aio.UsageError, grpc.aio.InternalError):
                async with asyncio.timeout(REST_SECONDS):
                    while await context.read() is not grpc.aio.EOF:
                        pass
        finally:
            self._of_strangers -= of_stranger
