"""What uses of a pool have left behind in its sessions, which nothing resets."""

import asyncio

from carbonline.postgres.pool import Connection, Pool

LEFT_BEHIND = """
SELECT 'setting ' || name AS left_behind FROM pg_settings
WHERE source = 'session' AND setting <> reset_val
UNION ALL
SELECT 'advisory lock' FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
UNION ALL
SELECT 'listens to ' || channel FROM pg_listening_channels() AS l (channel)
UNION ALL
SELECT 'cursor ' || name FROM pg_cursors WHERE is_holdable
UNION ALL
SELECT 'temporary table ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
UNION ALL
SELECT 'statement ' || name FROM pg_prepared_statements WHERE from_sql
"""


async def left_behind(*pools: Pool) -> list[str]:
    """Of all sessions that are not in use; [] if each is as it was when it started."""
    found: list[str] = []
    for pool in pools:
        sessions = [await pool.acquire() for _ in range(pool.get_idle_size())]
        try:
            for rows in await asyncio.gather(*map(_left_in, sessions)):
                found += rows
        finally:
            for session in sessions:
                await pool.release(session)
    return sorted(found)


async def _left_in(session: Connection) -> list[str]:
    in_transaction = ["open transaction"] if session.is_in_transaction() else []
    return in_transaction + [row["left_behind"] for row in await session.fetch(LEFT_BEHIND)]
