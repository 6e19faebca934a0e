"""Tables whose rows change with every job are vacuumed by what changed, however large they are."""

import asyncpg
import pytest

# A fifth of a table, PostgreSQL's default, grows with all that ever was.
SHARE_MAX = 0.05
HOT = {
    "scheduler": {
        "claim_requests",
        "claims",
        "exclusive_keys",
        "job_links",
        "jobs",
        "pipelines",
        "submit_requests",
    },
    "carbon": {
        "emission_sets",
        "emission_sums",
        "emissions",
        "entries",
        "entry_sets",
        "factor_uses",
        "input_versions",
        "job_answers",
        "outcome_counts",
        "row_digests",
        "totals",
        "uncomputed_entries",
        "write_fences",
    },
}
FEW_AT_A_TIME = "it keeps few rows, so that a fifth of them is soon dead"
GROWS = "rows come, and go when they are old: few are dead at a time"
REFERENCE = "it changes when somebody loads a file, not with every job"
OTHERS = {
    "scheduler": {
        "alembic_version": FEW_AT_A_TIME,
        "held_children": FEW_AT_A_TIME,
        "job_events": GROWS,
        "late_queues": FEW_AT_A_TIME,
        "ledger_scopes_in_doubt": FEW_AT_A_TIME,
        "module_freshness": FEW_AT_A_TIME,
        "pauses": FEW_AT_A_TIME,
        "schedules": FEW_AT_A_TIME,
        "set_asides": FEW_AT_A_TIME,
        "staged_children": FEW_AT_A_TIME,
        "sweep_runs": FEW_AT_A_TIME,
        "type_freshness": FEW_AT_A_TIME,
        "workers": FEW_AT_A_TIME,
        "years": FEW_AT_A_TIME,
    },
    "carbon": {
        "alembic_version": FEW_AT_A_TIME,
        "blob_scopes": FEW_AT_A_TIME,
        "factor_versions": REFERENCE,
        "factors": REFERENCE,
        "load_mappings": REFERENCE,
        "locations": REFERENCE,
        "mappings": FEW_AT_A_TIME,
        "reference_rows": REFERENCE,
        "units": REFERENCE,
    },
}
TABLES = """
SELECT c.relname AS name, (
    SELECT CAST(o.option_value AS double precision)
    FROM pg_options_to_table(c.reloptions) AS o
    WHERE o.option_name = 'autovacuum_vacuum_scale_factor'
) AS share
FROM pg_class AS c
WHERE c.relnamespace = CAST($1 AS regnamespace) AND c.relkind = 'r'
"""


@pytest.mark.parametrize("schema", sorted(HOT))
async def test_hot_tables_have_a_small_share_of_their_own(database_url: str, schema: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        shares = {row["name"]: row["share"] for row in await connection.fetch(TABLES, schema)}
    finally:
        await connection.close()
    own = {name: share for name, share in shares.items() if share is not None}
    assert own.keys() == HOT[schema]
    assert max(own.values()) <= SHARE_MAX
    # A new table is one or the other.
    assert shares.keys() - own.keys() == OTHERS[schema].keys()
