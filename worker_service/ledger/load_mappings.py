"""How files of factors, units and reference data were read: a row for each load with a mapping.

What was loaded names the claim that brought it, so the mapping stands once.
"""

import json
from collections.abc import Mapping
from typing import Any

from worker_service.ledger.pool import Connection

KEEP = """
INSERT INTO carbon.load_mappings (tenant, claim_token, mapping)
VALUES ($1, $2, CAST($3 AS jsonb))
ON CONFLICT (tenant, claim_token) DO NOTHING
"""


async def keep_load_mapping(
    conn: Connection, tenant: str, claim_token: int, mapping: Mapping[str, Any] | None
) -> None:
    """Keeps the mapping of a job's payload, if it has one. Call it within a publication."""
    if mapping:
        await conn.execute(KEEP, tenant, claim_token, json.dumps(mapping, ensure_ascii=False))
