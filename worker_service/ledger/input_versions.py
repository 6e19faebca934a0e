"""Which claim changed an input last: what tells a recalculation that nothing is to be done."""

from collections.abc import Sequence

from worker_service.ledger.pool import Connection

MARK_CHANGED = """
INSERT INTO carbon.input_versions AS v (tenant, input, changed_token)
VALUES ($1, $2, $3)
ON CONFLICT (tenant, input) DO UPDATE SET changed_token = excluded.changed_token
"""
VERSIONS = """
SELECT input, changed_token FROM carbon.input_versions
WHERE tenant = $1 AND input = ANY(CAST($2 AS text[]))
"""


def factors_input(data_entry_type: int, year: int) -> str:
    """The factors of one type and year."""
    return f"factors/{data_entry_type}/{year}"


def reference_input(kind: str) -> str:
    """A kind of reference data."""
    return f"reference/{kind}"


async def mark_changed(conn: Connection, tenant: str, changed_input: str, token: int) -> None:
    """Within a publication that changed something of it."""
    await conn.execute(MARK_CHANGED, tenant, changed_input, token)


async def newest_change(conn: Connection, tenant: str, inputs: Sequence[str]) -> int:
    """The newest token among some inputs; 0 where none was ever written."""
    return max((await changes_of(conn, tenant, inputs)).values(), default=0)


async def changes_of(conn: Connection, tenant: str, inputs: Sequence[str]) -> dict[str, int]:
    """Input -> its newest token; without those that were never written."""
    rows = await conn.fetch(VERSIONS, tenant, list(inputs))
    return {row["input"]: row["changed_token"] for row in rows}
