"""Receives the one request of a call, and answers the caller whose request does not come."""

import asyncio
from contextlib import suppress
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.errors import RpcError, abort

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Senders:
    """The calls whose request has not come."""

    def __init__(self, seconds: float) -> None:
        """A request must have come whole after so many seconds."""
        self._seconds = seconds
        # Since when each is received; the one that has waited longest is first.
        self._since: dict[Context, float] = {}
        self._look: asyncio.TimerHandle | None = None
        # A task that nobody holds may be collected before it has run.
        self._answers: set[asyncio.Task[None]] = set()

    async def request(self, context: Context) -> Any:
        """The request of a call.

        Raises grpc.aio.AbortError if it comes too late: its caller has been answered with
        SENDER_TOO_SLOW. Raises RpcError FIELD_INVALID if the caller sends none.
        """
        loop = asyncio.get_running_loop()
        self._since[context] = loop.time()
        # One timer for all of them: thousands of calls a second come at once.
        if self._look is None:
            self._look = loop.call_later(self._seconds, self._answer_the_late, loop)
        try:
            request = await context.read()
        finally:
            self._since.pop(context, None)
        if request is grpc.aio.EOF:
            raise RpcError("FIELD_INVALID", "the call has no request; send one message")
        return request

    def _answer_the_late(self, loop: asyncio.AbstractEventLoop) -> None:
        for context, since in tuple(self._since.items()):
            left = since + self._seconds - loop.time()
            if left > 0:
                self._look = loop.call_later(left, self._answer_the_late, loop)
                return
            del self._since[context]
            # The status ends the read: a read that is cancelled goes on inside gRPC.
            answer = loop.create_task(self._answer(context))
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)
        self._look = None

    async def _answer(self, context: Context) -> None:
        message = f"the request had not come whole after {self._seconds:g} s; send it faster"
        # Sent by now, or its caller has hung up.
        with suppress(grpc.aio.AbortError, grpc.aio.UsageError, grpc.aio.InternalError):
            await abort(context, RpcError("SENDER_TOO_SLOW", message))
