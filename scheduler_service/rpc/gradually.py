"""Makes many messages without keeping the event loop from everybody else."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

# Some milliseconds' work: a heartbeat that comes meanwhile waits no longer.
MESSAGES_AT_ONCE = 100

Row = TypeVar("Row")
Made = TypeVar("Made")
MadeMessage = TypeVar("MadeMessage", bound=Message)


async def gradually(rows: Sequence[Row], make: Callable[[Row], Made]) -> list[Made]:
    """What is made of each row, in order. Other tasks run in between."""
    made: list[Made] = []
    for start in range(0, len(rows), MESSAGES_AT_ONCE):
        if start:
            await asyncio.sleep(0)
        made += map(make, rows[start : start + MESSAGES_AT_ONCE])
    return made


async def as_many_as_fit(
    rows: Sequence[Row], make: Callable[[Row], MadeMessage], bytes_max: int
) -> list[MadeMessage]:
    """The messages of the first rows, which have at most so many bytes together; at least one."""
    made: list[MadeMessage] = []
    room = bytes_max
    for row in rows:
        if made and len(made) % MESSAGES_AT_ONCE == 0:
            await asyncio.sleep(0)
        message = make(row)
        room -= message.ByteSize()
        if made and room < 0:
            break
        made.append(message)
    return made
