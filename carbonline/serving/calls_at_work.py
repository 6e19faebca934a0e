"""The calls that a server works on, and their end before that work has an answer."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

import grpc.aio

from carbonline.serving.errors import RpcError, abort

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

# Enough for an answer to arrive, also from a busy server.
LEFT_SECONDS = 1.0


class _Call(NamedTuple):
    method: str
    context: Context


class CallsAtWork:
    """Calls with one request and one answer, each in the task that works on its answer."""

    def __init__(self, prefix: str) -> None:
        """Nobody calls. Only methods whose path begins with `prefix` are known here."""
        self._prefix = prefix
        self._calls: dict[asyncio.Task[Any], _Call] = {}
        self._endings: set[asyncio.Task[None]] = set()

    def noting(self, method: str, behave: Any) -> Any:
        """The behaviour of a method, whose calls are known here for as long as they take."""
        if not method.startswith(self._prefix):
            return behave

        async def call(request: Any, context: Context) -> Any:
            task: Any = asyncio.current_task()
            self._calls[task] = _Call(method, context)
            try:
                return await behave(request, context)
            finally:
                self._calls.pop(task, None)

        return call

    async def end_all(self, error: RpcError) -> None:
        """Answer every call with the error, and end its work."""
        calls, self._calls = self._calls, {}
        await asyncio.gather(*(_cut(task, one.context, error) for task, one in calls.items()))

    def end_late(self, error: RpcError, services: Collection[str]) -> list[str]:
        """As `end_all`, for calls of these services (full names) whose deadline is less than
        LEFT_SECONDS away. Returns their methods, and waits for no caller.

        What such a call has stored, or still will when the database goes on, its repetition finds.
        """
        late = {
            task: call
            for task, call in self._calls.items()
            if call.method.split("/")[1] in services and _is_late(call.context)
        }
        for task, call in late.items():
            del self._calls[task]
            ending = asyncio.create_task(_cut(task, call.context, error), name="ending")
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
        return [call.method for call in late.values()]


def _is_late(context: Context) -> bool:
    left: float | None = context.time_remaining()
    return left is not None and left < LEFT_SECONDS


async def _cut(task: asyncio.Task[Any], context: Context, error: RpcError) -> None:
    """It is answered first: the work may wait for a database that does not answer."""
    # Sent by now, or its caller has hung up.
    with suppress(grpc.aio.AbortError, grpc.aio.UsageError, grpc.aio.InternalError):
        await abort(context, error)
    task.cancel()
