"""The tasks that a server runs beside its calls. If one of them ends, the process ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from structlog.typing import FilteringBoundLogger


class BackgroundTaskEnded(Exception):
    """A background task ended while its server was serving: the process must end too.

    The message names the task; the cause is what the task raised, if it raised anything.
    """


class Background:
    """The background tasks of one server.

    Without a listener, sweeps or a health check a server looks well and serves stale answers. So a
    task that ends, for whatever reason, ends the process. Whoever supervises it starts a new one.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        """`log` gets `background_task_ended` for a task that ends too early."""
        self._log = log
        self._tasks: list[asyncio.Task[None]] = []
        self._first: asyncio.Future[asyncio.Task[None]] = asyncio.get_running_loop().create_future()

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`, which must not return before `cancel`."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._note_end)
        self._tasks.append(task)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if self._first.done() or task.cancelled():
            return
        self._first.set_result(task)
        self._log.error("background_task_ended", task=task.get_name(), exc_info=task.exception())

    async def run_until(self, stopping: asyncio.Event) -> None:
        """Wait for `stopping`. Raises BackgroundTaskEnded if a task ends first."""
        ordered = asyncio.create_task(stopping.wait())
        either: set[asyncio.Future[Any]] = {ordered, self._first}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ordered.cancel()
        if self._first.done():
            task = self._first.result()
            raise BackgroundTaskEnded(
                f"its background task {task.get_name()!r} ended; the log says why"
            ) from task.exception()

    async def ended(self) -> None:
        """Wait for all tasks, which have been told to end by themselves. What they raise then is
        not of interest.
        """
        self._first.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def cancel(self) -> None:
        """End all tasks and wait for them. What they raise meanwhile is not of interest."""
        for task in self._tasks:
            task.cancel()
        await self.ended()
