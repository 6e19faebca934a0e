"""Saved mappings: one row per tenant, data-entry type, kind of file and name."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker_service.ledger.pool import Ledger

# Of one tenant, type and kind of file: more than there are programs. Those who save at the same
# moment may go a few beyond it.
MAPPINGS_MAX = 1_000

# A mapping that is there may always be replaced. What was there is read as it was before.
SAVE = """
WITH before AS (
    SELECT count(*) FILTER (WHERE name_key = $3) AS same,
        count(*) FILTER (WHERE name_key <> $3) AS others
    FROM carbon.mappings
    WHERE tenant = $1 AND data_entry_type = $2 AND file_kind = $8
)
INSERT INTO carbon.mappings AS m
    (tenant, data_entry_type, name_key, name, mapping, saved_by, file_kind, saved_at)
SELECT $1, $2, $3, $4, CAST($5 AS jsonb), $6, $8, carbon.clock()
FROM before
WHERE before.others < $7
ON CONFLICT (tenant, data_entry_type, file_kind, name_key) DO UPDATE
SET name = excluded.name, mapping = excluded.mapping, saved_by = excluded.saved_by,
    saved_at = excluded.saved_at
RETURNING m.saved_at, (SELECT same > 0 FROM before) AS replaced
"""

LIST = """
SELECT data_entry_type, file_kind, name_key, name, mapping, saved_by, saved_at
FROM carbon.mappings
WHERE tenant = $1
    AND (CAST($2 AS smallint) IS NULL OR data_entry_type = $2)
    AND (CAST($3 AS text) IS NULL OR name_key = $3)
    AND (CAST($8 AS text) IS NULL OR file_kind = $8)
    AND (data_entry_type, file_kind, name_key)
        > (CAST($4 AS smallint), CAST($5 AS text), CAST($6 AS text))
ORDER BY data_entry_type, file_kind, name_key
LIMIT $7
"""

DELETE = """
DELETE FROM carbon.mappings
WHERE tenant = $1 AND data_entry_type = $2 AND name_key = $3 AND file_kind = $4
RETURNING name
"""


@dataclass(frozen=True, slots=True)
class MappingKey:
    """Which mapping. `name_key` is case-folded like other stored keys.

    `data_entry_type` is 0 for files of no type, such as those of units.
    """

    tenant: str
    data_entry_type: int
    file_kind: str
    name_key: str


@dataclass(frozen=True, slots=True)
class Saved:
    """When a mapping was saved, and whether one of the same name was there."""

    saved_at: datetime
    replaced: bool


@dataclass(frozen=True, slots=True)
class StoredMapping:
    """A saved mapping, without its name within it."""

    data_entry_type: int
    file_kind: str
    name_key: str
    name: str
    mapping: Mapping[str, Any]
    saved_by: str
    saved_at: datetime


async def save_mapping(
    ledger: Ledger, key: MappingKey, name: str, mapping: Mapping[str, Any], saved_by: str
) -> Saved | None:
    """Saves or replaces a mapping. None if the tenant has MAPPINGS_MAX others of the kind.

    Raises DatabaseUnavailable.
    """
    text = json.dumps(mapping, ensure_ascii=False)
    of = (key.tenant, key.data_entry_type, key.name_key)
    async with ledger.session() as conn:
        row = await conn.fetchrow(SAVE, *of, name, text, saved_by, MAPPINGS_MAX, key.file_kind)
    return None if row is None else Saved(**row)


async def list_mappings(
    ledger: Ledger,
    tenant: str,
    *,
    data_entry_type: int | None,
    file_kind: str | None,
    name_key: str | None,
    after: tuple[int, str, str],
    rows_max: int,
) -> Sequence[StoredMapping]:
    """At most `rows_max` mappings behind a type, kind and key, in their order. None stands for any.

    Raises DatabaseUnavailable.
    """
    async with ledger.session() as conn:
        wanted = (tenant, data_entry_type, name_key, *after, rows_max, file_kind)
        rows = await conn.fetch(LIST, *wanted)
    return [StoredMapping(**{**row, "mapping": json.loads(row["mapping"])}) for row in rows]


async def delete_mapping(ledger: Ledger, key: MappingKey) -> bool:
    """Deletes a mapping. False if there was none. Raises DatabaseUnavailable."""
    async with ledger.session() as conn:
        of = (key.tenant, key.data_entry_type, key.name_key, key.file_kind)
        name = await conn.fetchval(DELETE, *of)
    return name is not None
