"""Lists of uploads: which count, which did, and the kilograms of their entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker_service.ledger.limits import NO_LIMITS, Limits
from worker_service.ledger.pool import Ledger

# By primary key, backwards: an institution has a few thousand uploads. Kilograms are those of the
# last recalculation that read the upload; those of a node are added from the sums of that set.
LIST = """
SELECT s.entry_set AS upload_id, s.module, s.data_entry_type, s.year, s.unit,
    s.source_name AS source, s.file_name, s.blob, s.row_count, s.rows_rejected, s.rows_warned,
    s.pipeline_id, s.submitted_by, s.mapping, s.sheet, s.published_at,
    s.state = 'PUBLISHED' AS counts, s.retired_at, s.retired_by_pipeline,
    n.entry_set AS replaced_by, e.total_kg, e.entries_without_kg,
    CAST(p.kg AS double precision) AS emission_type_kg
FROM carbon.entry_sets AS s
LEFT JOIN carbon.entry_sets AS n ON n.tenant = s.tenant AND n.entry_set = s.retired_by
LEFT JOIN LATERAL (
    SELECT c.emission_set, c.total_kg, c.entries_without_kg
    FROM carbon.emission_sets AS c
    WHERE c.tenant = s.tenant AND c.entry_set = s.entry_set AND c.state <> 'LOADING'
    ORDER BY c.emission_set DESC
    LIMIT 1
) AS e ON true
LEFT JOIN LATERAL (
    SELECT sum(k.kg) AS kg
    FROM carbon.emission_sums AS k
    WHERE k.tenant = s.tenant AND k.emission_set = e.emission_set AND k.entry_set = s.entry_set
        AND k.emission_type = ANY(CAST($11 AS text[]))
) AS p ON CAST($11 AS text[]) IS NOT NULL
WHERE s.tenant = $1
    AND s.entry_set < $2
    AND s.state <> 'LOADING'
    AND (CAST($3 AS bigint) IS NULL OR s.entry_set = $3)
    AND (CAST($4 AS smallint) IS NULL OR s.year = $4)
    AND (CAST($5 AS smallint[]) IS NULL OR s.module = ANY(CAST($5 AS smallint[])))
    AND (CAST($6 AS smallint) IS NULL OR s.data_entry_type = $6)
    AND (CAST($7 AS text[]) IS NULL OR s.unit = ANY(CAST($7 AS text[])))
    AND (CAST($8 AS text) IS NULL OR s.source_name = $8)
    AND (CAST($9 AS boolean) OR s.state = 'PUBLISHED')
    AND (CAST($11 AS text[]) IS NULL OR p.kg IS NOT NULL)
ORDER BY s.entry_set DESC
LIMIT $10
"""
NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class UploadFilter:
    """Which uploads to list. None stands for any within `limits`. `gone` adds those that no longer
    count; `nodes` are paths of emission types.
    """

    tenant: str
    upload_id: int | None = None
    year: int | None = None
    module: int | None = None
    data_entry_type: int | None = None
    unit: str | None = None
    source: str | None = None
    gone: bool = False
    nodes: Sequence[str] | None = None
    limits: Limits = NO_LIMITS


async def list_uploads(ledger: Ledger, of: UploadFilter, before: int, count: int) -> Sequence[Any]:
    """At most `count` uploads below the id `before`, newest first. Raises DatabaseUnavailable."""
    async with ledger.session() as conn:
        rows: Sequence[Any] = await conn.fetch(
            LIST,
            of.tenant,
            before,
            of.upload_id,
            of.year,
            of.limits.modules_of(of.module),
            of.data_entry_type,
            of.limits.units_of(of.unit),
            of.source,
            of.gone,
            count,
            of.nodes,
        )
    return rows
