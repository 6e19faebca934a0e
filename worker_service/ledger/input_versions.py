"""Which claim changed an input last.

A recalculation compares these tokens with those of its last run, to know whether to compute.
"""

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
    """The name of the factors of one type and year as an input."""
    return f"factors/{data_entry_type}/{year}"


def reference_input(kind: str) -> str:
    """The name of a kind of reference data as an input."""
    return f"reference/{kind}"


async def mark_changed(conn: Connection, tenant: str, changed_input: str, token: int) -> None:
    """Notes that the claim of `token` changed an input. Call it within the same publication."""
    await conn.execute(MARK_CHANGED, tenant, changed_input, token)


async def newest_change(conn: Connection, tenant: str, inputs: Sequence[str]) -> int:
    """The newest token among some inputs. 0 if none of them was ever written."""
    return max((await changes_of(conn, tenant, inputs)).values(), default=0)


async def changes_of(conn: Connection, tenant: str, inputs: Sequence[str]) -> dict[str, int]:
    """The newest token of each input. Inputs that were never written are left out."""
    rows = await conn.fetch(VERSIONS, tenant, list(inputs))
    return {row["input"]: row["changed_token"] for row in rows}
