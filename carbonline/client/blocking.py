"""What the parts of Client share: an AsyncClient, and the event loop that it runs on."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from carbonline.client.async_client import AsyncClient

Answer = TypeVar("Answer")


class Blocking:
    """Waits for what an AsyncClient answers on a loop in another thread."""

    _client: AsyncClient
    _loop: asyncio.AbstractEventLoop

    def _answer(self, work: Awaitable[Answer]) -> Answer:
        """Runs `work` on the client's own loop. An interrupted wait cancels it there."""

        async def awaited() -> Answer:
            return await work

        answer = asyncio.run_coroutine_threadsafe(awaited(), self._loop)
        try:
            return answer.result()
        except BaseException:
            answer.cancel()
            raise
