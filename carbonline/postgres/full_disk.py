"""Whether PostgreSQL has refused a write for want of room, and whether it has room again."""

import asyncpg

from carbonline.postgres.pool import Connection

# For people, with what to do.
DISK_FULL = "the disk of the database is full"
# A table that nobody else sees takes room like any other, and goes with its transaction.
_TAKE_ROOM = """
CREATE TEMPORARY TABLE carbonline_room (
    filler text STORAGE EXTERNAL
) ON COMMIT DROP;
INSERT INTO carbonline_room SELECT repeat('x', 8000) FROM generate_series(1, 256);
"""


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or the one that it was raised from, says that the disk is full."""
    if error is None:
        return False
    return isinstance(error, asyncpg.DiskFullError) or isinstance(
        error.__cause__, asyncpg.DiskFullError
    )


async def take_room(conn: Connection) -> None:
    """Writes two megabytes, and takes them back. Raises asyncpg.DiskFullError without room.

    What may be written to such a table may be written to others. A role that may make no temporary
    table learns nothing.
    """
    transaction = conn.transaction()
    await transaction.start()
    try:
        await conn.execute(_TAKE_ROOM)
    except asyncpg.InsufficientPrivilegeError:
        return
    finally:
        await transaction.rollback()
