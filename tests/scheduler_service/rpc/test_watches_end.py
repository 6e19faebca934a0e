"""The loop behind all watches ends when it is told to, whatever else happens that moment."""

import asyncio
from typing import cast

import pytest

from carbonline.serving.logs import open_log
from scheduler_service.rpc.stream_ends import StreamEnds
from scheduler_service.rpc.wakes import Wakes
from scheduler_service.rpc.watch import Watches
from scheduler_service.store.store import Store


@pytest.mark.parametrize("turns_between", range(6))
async def test_a_wake_just_before_it_does_not_swallow_the_order_to_end(turns_between: int) -> None:
    wakes = Wakes()
    nobody_watches = cast("Store", None)
    watches = Watches(
        nobody_watches,
        wakes,
        StreamEnds(keepalive_seconds=60, seconds_max=60, watches_max=1),
        open_log("error"),
        poll_seconds=60,
    )
    reading = asyncio.create_task(watches.run())
    for _ in range(5):
        await asyncio.sleep(0)
    wakes.hint(None, None)
    for _ in range(turns_between):
        await asyncio.sleep(0)
    reading.cancel()
    ended, _ = await asyncio.wait({reading}, timeout=2)
    reading.cancel()
    assert ended
