"""Deletes old versions of factors: those that were replaced long ago and that no emission names."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from worker_service.ledger.old_summaries import FORGETTING_LOCK, LONG_AGO
from worker_service.ledger.pool import Ledger

VERSIONS_PER_ROUND = 500

# A version that followed another one long ago, and those before it. By index: first versions, which
# are most, are not in it. Emissions have no index by factor, and need none: a set of emissions
# names the versions in use at the token of its factors, which are those from `claim_token`
# up to the token of the version that followed.
DELETE_VERSIONS = """
WITH page AS (
    SELECT n.made_at, n.factor_id, n.version, f.data_entry_type, f.year
    FROM carbon.factor_versions AS n
    JOIN carbon.factors AS f ON f.tenant = n.tenant AND f.factor_id = n.factor_id
    WHERE n.tenant = $1 AND n.version > 1
        AND n.made_at < (SELECT carbon.clock()) - $2 * interval '1 second'
        AND (n.made_at, n.factor_id, n.version) > ($3, $4, $5)
    ORDER BY n.made_at, n.factor_id, n.version
    LIMIT $6
), slices AS (
    SELECT DISTINCT data_entry_type, year FROM page
), in_use AS MATERIALIZED (
    SELECT DISTINCT m.data_entry_type, m.year, m.factors_token
    FROM slices AS i
    JOIN carbon.emission_sets AS m ON m.tenant = $1 AND m.data_entry_type = i.data_entry_type
        AND m.year = i.year AND m.state = 'PUBLISHED'
    UNION
    SELECT m.data_entry_type, m.year, m.factors_token
    FROM carbon.emission_sets AS m
    WHERE m.tenant = $1 AND m.state <> 'PUBLISHED' AND m.collected_at IS NULL
), replaced AS (
    SELECT p.data_entry_type, p.year, v.factor_id, v.version, v.claim_token, v.next_token
    FROM page AS p
    CROSS JOIN LATERAL (
        SELECT o.factor_id, o.version, o.claim_token, n.claim_token AS next_token
        FROM carbon.factor_versions AS o
        JOIN carbon.factor_versions AS n ON n.tenant = $1 AND n.factor_id = p.factor_id
            AND n.version = p.version
        WHERE o.tenant = $1 AND o.factor_id = p.factor_id AND o.version < p.version
        ORDER BY o.version DESC
        LIMIT 1
    ) AS v
), gone AS (
    DELETE FROM carbon.factor_versions AS v USING replaced AS r
    WHERE v.tenant = $1 AND v.factor_id = r.factor_id AND v.version = r.version AND NOT EXISTS (
        SELECT FROM in_use AS u
        WHERE u.data_entry_type = r.data_entry_type AND u.year = r.year
            AND u.factors_token >= r.claim_token AND u.factors_token < r.next_token
    )
    RETURNING v.version
)
SELECT p.made_at, p.factor_id, p.version, (SELECT count(*) FROM gone) AS gone,
    (SELECT count(*) FROM page) AS found
FROM page AS p
ORDER BY p.made_at DESC, p.factor_id DESC, p.version DESC
LIMIT 1
"""


class VersionPlace(NamedTuple):
    """Behind this version the next round begins."""

    made_at: datetime = LONG_AGO
    factor_id: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class VersionsRound:
    """How many versions went, and where the next round begins; None: no more."""

    gone: int
    next: VersionPlace | None


async def delete_versions(
    ledger: Ledger, tenant: str, kept_seconds: float, after: VersionPlace
) -> VersionsRound:
    """Looks at VERSIONS_PER_ROUND versions that replaced others `kept_seconds` ago, and deletes the
    one before each, unless an emission names it. Raises DatabaseUnavailable.
    """
    async with ledger.transaction() as conn:
        if not await conn.fetchval("SELECT pg_try_advisory_xact_lock($1)", FORGETTING_LOCK):
            return VersionsRound(0, None)
        last = await conn.fetchrow(
            DELETE_VERSIONS, tenant, kept_seconds, *after, VERSIONS_PER_ROUND
        )
    if last is None:
        return VersionsRound(0, None)
    place = VersionPlace(last["made_at"], last["factor_id"], last["version"])
    return VersionsRound(last["gone"], place if last["found"] == VERSIONS_PER_ROUND else None)
