"""What an upload replaces when it is published, what it finds there already, and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from worker_service.carbon.parse.values import folded_key
from worker_service.ledger.entry_sets import DEFAULT_SOURCE, NewSet
from worker_service.ledger.pool import Connection

# Of one type and year: the upload that the new one replaces, and those with the same rows.
LIKE_IT = """
SELECT entry_set AS upload_id, pipeline_id, file_name, unit, source_name AS source, row_count,
    unit IS NOT DISTINCT FROM $4 AND source_name = $5 AS is_replaced,
    content_digest IS NOT DISTINCT FROM $6 AND $6 <> '' AS has_same_rows
FROM carbon.entry_sets
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'PUBLISHED'
    AND ((unit IS NOT DISTINCT FROM $4 AND source_name = $5) OR content_digest = $6)
ORDER BY entry_set
"""
RETIRE = """
UPDATE carbon.entry_sets
SET state = 'RETIRED', retired_at = carbon.clock(), retired_by = $3, retired_by_pipeline = $4
WHERE tenant = $1 AND entry_set = $2 AND state = 'PUBLISHED'
"""
PUBLISH = """
UPDATE carbon.entry_sets
SET state = 'PUBLISHED', published_at = carbon.clock(), row_count = $3, last_row_number = $4,
    content_digest = nullif($5, ''), rows_rejected = $6, rows_warned = $7
WHERE tenant = $1 AND entry_set = $2 AND state = 'LOADING'
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What was loaded. `digest` tells equal rows from others; "" where nobody has counted."""

    row_count: int
    last_row_number: int
    digest: str = ""
    rows_rejected: int = 0
    rows_warned: int = 0


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that counts or has counted; `unit` None means all units."""

    upload_id: int
    pipeline_id: int | None
    file_name: str
    unit: str | None
    source: str
    row_count: int


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication came to.

    `unchanged` is the upload that holds the same rows already: nothing was done. Else `replaced`
    does not count any more, if there was one. `twins` count beside it with the same rows.
    """

    unchanged: Upload | None = None
    replaced: Upload | None = None
    twins: Sequence[Upload] = field(default_factory=tuple)


def source_key(source: str) -> str:
    """A source's name as it is stored and compared; "default" for none."""
    return folded_key(source.strip()) or DEFAULT_SOURCE


async def publish_upload(conn: Connection, new: NewSet, contents: Contents) -> Published:
    """Within a publication: the set counts in place of what had its identity.

    An identity is tenant, type, year, unit or all, and source. The same rows change nothing.
    """
    identity = (new.tenant, new.data_entry_type, new.year, new.unit, new.source)
    # Behind the fence, so that what is found here is what is replaced.
    found = await conn.fetch(LIKE_IT, *identity, contents.digest)
    twins = tuple(_upload(row) for row in found if not row["is_replaced"])
    here = next((row for row in found if row["is_replaced"]), None)
    if here is not None and here["has_same_rows"]:
        return Published(unchanged=_upload(here), twins=twins)
    if here is not None:
        await conn.execute(RETIRE, new.tenant, here["upload_id"], new.entry_set, new.pipeline_id)
    done = await conn.execute(
        PUBLISH,
        new.tenant,
        new.entry_set,
        contents.row_count,
        contents.last_row_number,
        contents.digest,
        contents.rows_rejected,
        contents.rows_warned,
    )
    assert done == "UPDATE 1", f"set {new.entry_set} cannot be published: {done}"
    return Published(replaced=None if here is None else _upload(here), twins=twins)


def _upload(row: Any) -> Upload:
    return Upload(
        row["upload_id"],
        row["pipeline_id"],
        row["file_name"],
        row["unit"],
        row["source"],
        row["row_count"],
    )
