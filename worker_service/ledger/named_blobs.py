"""Which files the ledger names: those that brought what counts."""

from collections.abc import Sequence

from worker_service.ledger.pool import Ledger

# Of factors the version in use. Whoever asks has few blobs, and each part is read once.
NAMED = """
SELECT s.blob FROM carbon.entry_sets AS s
WHERE s.tenant = $1 AND s.state = 'PUBLISHED' AND s.blob = ANY(CAST($2 AS text[]))
UNION
SELECT v.blob FROM carbon.factors AS f
JOIN carbon.factor_versions AS v
    ON v.tenant = f.tenant AND v.factor_id = f.factor_id AND v.version = f.version
WHERE f.tenant = $1 AND f.removed_at IS NULL AND v.blob = ANY(CAST($2 AS text[]))
UNION
SELECT l.blob FROM carbon.locations AS l
WHERE l.tenant = $1 AND l.blob = ANY(CAST($2 AS text[]))
UNION
SELECT r.blob FROM carbon.reference_rows AS r
WHERE r.tenant = $1 AND r.blob = ANY(CAST($2 AS text[]))
UNION
SELECT u.blob FROM carbon.units AS u
WHERE u.tenant = $1 AND u.blob = ANY(CAST($2 AS text[]))
"""


async def named_blobs(ledger: Ledger, tenant: str, blobs: Sequence[str]) -> set[str]:
    """Those of the blobs, given by their references, that uploads which count, or factors,
    reference data or units name. Raises DatabaseUnavailable.
    """
    async with ledger.session() as conn:
        return {row["blob"] for row in await conn.fetch(NAMED, tenant, list(blobs))}
