"""A value that changes with everything that is published for a tenant."""

from worker_service.ledger.pool import Connection

# Each publication updates the rows of its fences, so that they get new versions (xmin), even where
# the same claim publishes twice. Of a tenant there is a fence per module or type, and year.
STATE = """
SELECT md5(coalesce(string_agg(
    f.scope || ' ' || f.newest_token || ' ' || CAST(f.xmin AS text), ',' ORDER BY f.scope
), '')) || (
    SELECT count(*) || ' ' || coalesce(max(e.changed_token), 0)
    FROM carbon.entries AS e
    WHERE e.tenant = $1 AND e.changed_token IS NOT NULL
)
FROM carbon.write_fences AS f
WHERE f.tenant = $1
"""


async def published_state(conn: Connection, tenant: str) -> str:
    """Equal values mean that nothing was published for the tenant in between.

    Also for units, factors and places, and for other years. Within a snapshot, it is the state of
    what the snapshot shows.
    """
    state: str = await conn.fetchval(STATE, tenant)
    return state
