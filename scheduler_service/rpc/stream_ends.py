"""How many watches there may be, when they end by themselves, and when they show a sign of life."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager

from carbonline.serving.errors import RpcError
from carbonline.serving.places import NoPlace, Places


class StreamEnds:
    """What all watches of this process share, of one pipeline or of a tenant's."""

    def __init__(self, *, keepalive_seconds: float, seconds_max: float, watches_max: int) -> None:
        """A silent stream sends a keepalive after `keepalive_seconds` and ends after `seconds_max`,
        which has jitter.
        """
        self._keepalive_seconds = keepalive_seconds
        self._seconds_max = seconds_max
        self._places = Places(watches_max)
        self.draining = asyncio.Event()

    @property
    def taken(self) -> int:
        """Watches that are open."""
        return self._places.taken

    @contextmanager
    def place(self, caller: str, tenant: str) -> Iterator[None]:
        """The place of a caller's watch in a tenant. Raises RpcError TOO_MANY_STREAMS."""
        try:
            with self._places.one(caller, (tenant,)):
                yield
        except NoPlace:
            most = self._places.each_max
            raise RpcError(
                "TOO_MANY_STREAMS",
                f"{most:,} watches of yours, half as many again of your tenant, "
                "or twice as many of all callers, are open here; "
                "close some, or watch again later",
            ) from None

    def ends_at(self) -> float:
        """When a watch that begins now has reached its maximum age, by the loop's clock."""
        age = self._seconds_max * random.uniform(0.9, 1.0)  # noqa: S311
        return asyncio.get_running_loop().time() + age

    async def has_news(self, news: asyncio.Event) -> bool:
        """Whether news comes before a keepalive is due. Raises RpcError DRAINING."""
        has_news = True
        if not self.draining.is_set():
            try:
                async with asyncio.timeout(self._keepalive_seconds):
                    await news.wait()
            except TimeoutError:
                has_news = False
        self.check_draining()
        return has_news

    def check_draining(self) -> None:
        """Raises RpcError DRAINING if this scheduler shuts down."""
        if self.draining.is_set():
            raise RpcError(
                "DRAINING",
                "this scheduler is shutting down; watch again from the last version you have seen",
            )
