"""Makes many messages without keeping the event loop from everybody else."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

# Some milliseconds' work: a heartbeat that comes meanwhile waits no longer.
MESSAGES_AT_ONCE = 100

Row = TypeVar("Row")
Made = TypeVar("Made")


async def gradually(rows: Sequence[Row], make: Callable[[Row], Made]) -> list[Made]:
    """What is made of each row, in order. Other tasks run in between."""
    made: list[Made] = []
    for start in range(0, len(rows), MESSAGES_AT_ONCE):
        if start:
            await asyncio.sleep(0)
        made += map(make, rows[start : start + MESSAGES_AT_ONCE])
    return made
