"""Invariant 12: compares the claim tokens of stored rows with the fences of their ledger scopes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.verify.invariants import FINDINGS_MAX, TOKENS, Finding

# Of sets that are loading nothing counts yet. `data` has the columns tenant, scope, year, what and
# token; what a row is behind comes from the same snapshot.
_AHEAD = """
SELECT d.scope, d.year, d.what, max(d.token) AS token, coalesce(f.newest_token, 0) AS newest_token
FROM ({data}) AS d (scope, year, what, token)
LEFT JOIN carbon.write_fences AS f ON f.tenant = $1 AND f.scope = d.scope
WHERE d.token > coalesce(f.newest_token, 0)
GROUP BY d.scope, d.year, d.what, f.newest_token
ORDER BY d.scope, d.what
LIMIT $2
"""
# Few rows per tenant, or rows that a file replaces: these are read at once.
REST = _AHEAD.format(
    data="""
    SELECT 'units', 0, 'unit ' || unit, changed_token FROM carbon.units WHERE tenant = $1
    UNION ALL
    SELECT 'reference/locations', 0, 'place ' || code, changed_token
    FROM carbon.locations WHERE tenant = $1
    UNION ALL
    SELECT 'reference/' || kind, 0, key || ' of ' || kind, changed_token
    FROM carbon.reference_rows WHERE tenant = $1
    UNION ALL
    SELECT 'factors/' || year, year, 'factor ' || factor_id, greatest(changed_token, stale_token)
    FROM carbon.factors WHERE tenant = $1
    UNION ALL
    SELECT 'factors/' || f.year, f.year, 'version ' || v.version || ' of factor ' || f.factor_id,
        v.claim_token
    FROM carbon.factors AS f
    JOIN carbon.factor_versions AS v USING (tenant, factor_id)
    WHERE f.tenant = $1
    UNION ALL
    SELECT CASE WHEN input LIKE 'factors/%' THEN 'factors/' || split_part(input, '/', 3)
        ELSE input END, 0, 'the version of ' || input, changed_token
    FROM carbon.input_versions WHERE tenant = $1
    UNION ALL
    SELECT 'totals/' || module || '/' || year, year, 'the totals of unit ' || unit, claim_token
    FROM carbon.totals WHERE tenant = $1
    """
)
IN_ENTRY_SETS = _AHEAD.format(
    data="""
    SELECT 'entries/' || s.module || '/' || s.year, s.year, t.what, t.token
    FROM carbon.entry_sets AS s
    CROSS JOIN LATERAL (
        VALUES ('upload ' || s.entry_set, s.entry_set),
            ('the end of upload ' || s.entry_set, s.retired_by),
            ('entries of upload ' || s.entry_set, (
                SELECT max(e.changed_token) FROM carbon.entries AS e
                WHERE e.tenant = s.tenant AND e.entry_set = s.entry_set
                    AND e.changed_token IS NOT NULL
            ))
    ) AS t (what, token)
    WHERE s.tenant = $1 AND s.state <> 'LOADING' AND s.entry_set > $3 AND s.entry_set <= $4
    """
)
IN_EMISSION_SETS = _AHEAD.format(
    data="""
    SELECT 'emissions/' || s.data_entry_type || '/' || s.year, s.year, t.what, t.token
    FROM carbon.emission_sets AS s
    CROSS JOIN LATERAL (
        VALUES ('the emissions of upload ' || s.entry_set, s.emission_set),
            ('the end of emissions of upload ' || s.entry_set, s.retired_by)
    ) AS t (what, token)
    WHERE s.tenant = $1 AND s.state <> 'LOADING'
        AND s.emission_set > $3 AND s.emission_set <= $4
    """
)
_LAST_OF_PAGE = """
SELECT max(n.number) AS last, count(*) AS sets
FROM (
    SELECT {set} AS number FROM carbon.{table}
    WHERE tenant = $1 AND {set} > $2 ORDER BY {set} LIMIT $3
) AS n
"""
LAST_ENTRY_SET = _LAST_OF_PAGE.format(set="entry_set", table="entry_sets")
LAST_EMISSION_SET = _LAST_OF_PAGE.format(set="emission_set", table="emission_sets")


@dataclass(frozen=True, slots=True)
class TokensPage:
    """What was found. `last` is the set after which the next page begins, None on the last."""

    findings: Sequence[Finding]
    last: int | None


async def verify_rest(ledger: Ledger, tenant: str) -> list[Finding]:
    """Units, reference data, factors and totals of a tenant. Raises DatabaseUnavailable."""
    async with ledger.snapshot() as conn:
        return await _ahead(conn, REST, tenant)


async def verify_entry_sets(ledger: Ledger, tenant: str, after: int, sets_max: int) -> TokensPage:
    """The next uploads, by number, that count or have counted. Raises DatabaseUnavailable."""
    return await _sets(ledger, LAST_ENTRY_SET, IN_ENTRY_SETS, tenant, after, sets_max)


async def verify_emission_sets(
    ledger: Ledger, tenant: str, after: int, sets_max: int
) -> TokensPage:
    """The next sets of emissions, by number. Raises DatabaseUnavailable."""
    return await _sets(ledger, LAST_EMISSION_SET, IN_EMISSION_SETS, tenant, after, sets_max)


async def _sets(
    ledger: Ledger, last_of_page: str, query: str, tenant: str, after: int, sets_max: int
) -> TokensPage:
    async with ledger.snapshot() as conn:
        page = await conn.fetchrow(last_of_page, tenant, after, sets_max)
        assert page is not None, "an aggregate has a row"
        if not page["sets"]:
            return TokensPage((), None)
        found = await _ahead(conn, query, tenant, after, page["last"])
    return TokensPage(found, page["last"] if page["sets"] == sets_max else None)


async def _ahead(conn: Connection, query: str, tenant: str, *more: Any) -> list[Finding]:
    rows = await conn.fetch(query, tenant, FINDINGS_MAX, *more)
    return [
        Finding(
            TOKENS,
            row["scope"],
            row["year"],
            f"{row['what']} has claim token {row['token']}, and the fence {row['newest_token']}",
        )
        for row in rows
    ]
