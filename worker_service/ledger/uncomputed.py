"""Entries without kilograms: why, and their data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker_service.ledger.pool import Connection, Ledger

# Rows that a page with a filter scans. Then it ends, maybe empty, and the next page goes on.
LOOKS_MAX = 50_000
# The data of a page. The row that exceeds it is the last one.
PAGE_BYTES_MAX = 2 << 20

SETS = """
SELECT s.emission_set, s.entry_set, s.module, s.data_entry_type
FROM carbon.emission_sets AS s
WHERE s.tenant = $1 AND s.year = $2 AND s.state = 'PUBLISHED'
    AND s.data_entry_type = ANY(CAST($3 AS smallint[]))
    AND (CAST($4 AS bigint) IS NULL OR s.entry_set = $4)
    AND (s.data_entry_type, s.entry_set) >= (CAST($5 AS smallint), CAST($6 AS bigint))
ORDER BY s.data_entry_type, s.entry_set
"""
# Always has a row, which says how far it looked even if nothing fits.
ROWS = """
WITH looked AS MATERIALIZED (
    SELECT row_number, unit, outcome, detail
    FROM carbon.uncomputed_entries
    WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND row_number > $4
    ORDER BY row_number
    LIMIT $5
), fitting AS (
    SELECT row_number, unit, outcome, detail
    FROM looked
    WHERE (CAST($6 AS text[]) IS NULL OR unit = ANY(CAST($6 AS text[])))
        AND (CAST($7 AS text) IS NULL OR outcome = $7)
    ORDER BY row_number
    LIMIT $8
), weighed AS (
    SELECT f.*, d.data,
        coalesce(sum(octet_length(CAST(d.data AS text))) OVER (ORDER BY f.row_number), 0) AS bytes,
        coalesce(octet_length(CAST(d.data AS text)), 0) AS own_bytes
    FROM fitting AS f
    LEFT JOIN LATERAL (
        SELECT carbon.entry_values(e, s.text_keys, s.number_keys) AS data
        FROM carbon.entry_sets AS s
        JOIN carbon.entries AS e ON e.tenant = s.tenant AND e.entry_set = s.entry_set
        WHERE s.tenant = $1 AND s.entry_set = $3 AND e.row_number = f.row_number
        OFFSET 0
    ) AS d ON true
)
SELECT r.*, w.row_number, w.unit, w.outcome, w.detail, w.data, w.bytes
FROM (
    SELECT count(*) AS looked, coalesce(max(row_number), 0) AS reached,
        (SELECT count(*) FROM fitting) AS fitting
    FROM looked
) AS r
LEFT JOIN weighed AS w ON w.bytes - w.own_bytes < $9
ORDER BY w.row_number
"""


@dataclass(frozen=True, slots=True)
class UncomputedFilter:
    """Which entries of a tenant and year. None stands for any. `types` is empty only if none of
    them are the caller's.
    """

    tenant: str
    year: int
    types: Sequence[int]
    units: Sequence[str] | None
    outcome: str | None
    upload: int | None


@dataclass(frozen=True, slots=True)
class RowPosition:
    """The row after which a page begins: its type, upload and row number."""

    data_entry_type: int = 0
    upload: int = 0
    row_number: int = 0


@dataclass(frozen=True, slots=True)
class UncomputedRow:
    """An entry without kilograms. `data` is None if its rows have been deleted."""

    place: RowPosition
    module: int
    unit: str
    outcome: str
    detail: str
    data: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class UncomputedPage:
    """Rows in order of position. `ends_at` is where the next page begins, None on the last page."""

    rows: Sequence[UncomputedRow]
    ends_at: RowPosition | None


@dataclass(slots=True)
class _Room:
    """What is left of a page's limits: rows, rows to scan, bytes of data."""

    rows: int
    looks: int
    bytes: int


async def list_uncomputed(
    ledger: Ledger,
    of: UncomputedFilter,
    after: RowPosition,
    rows_max: int,
    *,
    looks_max: int = LOOKS_MAX,
    bytes_max: int = PAGE_BYTES_MAX,
) -> UncomputedPage:
    """A page of at most `rows_max` rows, read at one moment. Raises DatabaseUnavailable."""
    rows: list[UncomputedRow] = []
    room = _Room(rows_max, looks_max, bytes_max)
    async with ledger.snapshot() as conn:
        at = (after.data_entry_type, after.upload)
        sets = await conn.fetch(SETS, of.tenant, of.year, list(of.types), of.upload, *at)
        for one in sets:
            here = (one["data_entry_type"], one["entry_set"])
            place = after if here == at else RowPosition(*here)
            found, ends_at = await _of_set(conn, of, one, place, room)
            rows += found
            if ends_at is not None:
                return UncomputedPage(rows, ends_at)
    return UncomputedPage(rows, None)


async def _of_set(
    conn: Connection, of: UncomputedFilter, one: Any, after: RowPosition, room: _Room
) -> tuple[list[UncomputedRow], RowPosition | None]:
    """Rows of one upload, and where they stop. None if they reach its end."""
    filtered = of.units is not None or of.outcome is not None
    looks = room.looks if filtered else min(room.looks, room.rows)
    answers = await conn.fetch(
        ROWS,
        *(of.tenant, one["emission_set"], one["entry_set"], after.row_number, looks),
        *(of.units, of.outcome, room.rows, room.bytes),
    )
    head = answers[0]
    rows = [_row(one, row) for row in answers if row["row_number"] is not None]
    room.looks -= head["looked"]
    room.rows -= len(rows)
    room.bytes -= int(answers[-1]["bytes"] or 0)
    if rows and (len(rows) < head["fitting"] or room.rows == 0 or room.bytes <= 0):
        return rows, rows[-1].place
    if head["looked"] == looks:
        return rows, RowPosition(one["data_entry_type"], one["entry_set"], head["reached"])
    return rows, None


def _row(one: Any, row: Any) -> UncomputedRow:
    return UncomputedRow(
        RowPosition(one["data_entry_type"], one["entry_set"], row["row_number"]),
        one["module"],
        row["unit"],
        row["outcome"],
        row["detail"],
        row["data"],
    )
