"""How files of factors, units and reference data were read: a row for each load with a mapping.

What was loaded names the claim that brought it, so the mapping stands once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker_service.ledger.pool import Connection, Ledger

KEEP = """
INSERT INTO carbon.load_mappings (tenant, claim_token, mapping)
VALUES ($1, $2, CAST($3 AS jsonb))
ON CONFLICT (tenant, claim_token) DO NOTHING
"""
MAPPINGS_PER_ROUND = 500
# A claim that is the newest of a fence may still publish, and then names its mapping again. What
# is read are small tables, and nothing of them where no mapping is.
DELETE = """
WITH page AS (
    SELECT p.claim_token FROM carbon.load_mappings AS p
    WHERE p.tenant = $1 AND p.claim_token > $2
    ORDER BY p.claim_token
    LIMIT $3
), named AS MATERIALIZED (
    SELECT v.claim_token FROM carbon.factor_versions AS v
    WHERE v.tenant = $1 AND v.claim_token IN (SELECT claim_token FROM page)
    UNION
    SELECT l.changed_token FROM carbon.locations AS l
    WHERE l.tenant = $1 AND l.changed_token IN (SELECT claim_token FROM page)
    UNION
    SELECT r.changed_token FROM carbon.reference_rows AS r
    WHERE r.tenant = $1 AND r.changed_token IN (SELECT claim_token FROM page)
    UNION
    SELECT u.changed_token FROM carbon.units AS u
    WHERE u.tenant = $1 AND u.changed_token IN (SELECT claim_token FROM page)
    UNION
    SELECT f.newest_token FROM carbon.write_fences AS f WHERE f.tenant = $1
), gone AS (
    DELETE FROM carbon.load_mappings AS m USING page AS p
    WHERE m.tenant = $1 AND m.claim_token = p.claim_token
        AND NOT EXISTS (SELECT FROM named AS n WHERE n.claim_token = p.claim_token)
    RETURNING m.claim_token
)
SELECT max(p.claim_token) AS last, count(*) AS found, (SELECT count(*) FROM gone) AS gone
FROM page AS p
"""


@dataclass(frozen=True, slots=True)
class MappingsRound:
    """How many mappings went, and the claim behind which the next round begins; None: no more."""

    gone: int
    next: int | None


async def keep_load_mapping(
    conn: Connection, tenant: str, claim_token: int, mapping: Mapping[str, Any] | None
) -> None:
    """Keeps the mapping of a job's payload, if it has one. Call it within a publication."""
    if mapping:
        await conn.execute(KEEP, tenant, claim_token, json.dumps(mapping, ensure_ascii=False))


async def delete_load_mappings(ledger: Ledger, tenant: str, after: int) -> MappingsRound:
    """Looks at MAPPINGS_PER_ROUND mappings of claims above `after`, and deletes those that nothing
    names: other files have replaced all that they brought. Raises DatabaseUnavailable.
    """
    async with ledger.session() as conn:
        done = await conn.fetchrow(DELETE, tenant, after, MAPPINGS_PER_ROUND)
    assert done is not None, "an aggregate has a row"
    return MappingsRound(
        done["gone"], done["last"] if done["found"] == MAPPINGS_PER_ROUND else None
    )
