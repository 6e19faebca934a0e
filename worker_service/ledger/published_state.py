"""A value that changes with everything that is published for a tenant."""

from collections.abc import Collection

from worker_service.ledger.pool import Connection

# Each publication updates the rows of its fences, so that they get new versions (xmin), even where
# the same claim publishes twice. Of a tenant there is a fence per module or type, and year.
STATES = """
SELECT w.tenant, (
    SELECT md5(coalesce(string_agg(
        f.scope || ' ' || f.newest_token || ' ' || CAST(f.xmin AS text), ',' ORDER BY f.scope
    ), ''))
    FROM carbon.write_fences AS f
    WHERE f.tenant = w.tenant
) || (
    SELECT count(*) || ' ' || coalesce(max(e.changed_token), 0)
    FROM carbon.entries AS e
    WHERE e.tenant = w.tenant AND e.changed_token IS NOT NULL
) AS state
FROM unnest(CAST($1 AS text[])) AS w (tenant)
"""


async def published_state(conn: Connection, tenant: str) -> str:
    """Equal values mean that nothing was published for the tenant in between.

    Also for units, factors and places, and for other years. Within a snapshot, it is the state of
    what the snapshot shows.
    """
    return (await published_states(conn, [tenant]))[tenant]


async def published_states(conn: Connection, tenants: Collection[str]) -> dict[str, str]:
    """The `published_state` of each tenant."""
    return {row["tenant"]: row["state"] for row in await conn.fetch(STATES, list(tenants))}
