"""Tables whose rows change with every job are vacuumed by what changed, however large they are."""

import asyncpg

# A fifth of a table, PostgreSQL's default, grows with all that ever was.
SHARE_MAX = 0.05
HOT = {
    "claim_requests",
    "claims",
    "exclusive_keys",
    "job_links",
    "jobs",
    "pipelines",
    "submit_requests",
}
SHARES = """
SELECT c.relname AS name, CAST(o.option_value AS double precision) AS share
FROM pg_class AS c, pg_options_to_table(c.reloptions) AS o
WHERE c.relnamespace = CAST('scheduler' AS regnamespace)
    AND o.option_name = 'autovacuum_vacuum_scale_factor'
"""


async def test_hot_tables_have_a_small_share_of_their_own(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        shares = {row["name"]: row["share"] for row in await connection.fetch(SHARES)}
    finally:
        await connection.close()
    assert shares.keys() == HOT
    assert max(shares.values()) <= SHARE_MAX
