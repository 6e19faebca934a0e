"""Rows of an upload whose key, such as a person, another upload has in the same unit, too."""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Record

from worker_service.ledger.pool import Connection

# Rows that are equal as a whole to one of another upload are told as such, and not once more.
REPEATED = """
WITH own AS (
    SELECT e.row_number, e.unit,
        carbon.entry_value(e, s.text_keys, s.number_keys, CAST($4 AS text)) AS value,
        carbon.entry_values(e, s.text_keys, s.number_keys) AS data
    FROM carbon.entry_sets AS s
    JOIN carbon.entries AS e ON e.tenant = s.tenant AND e.entry_set = s.entry_set
    WHERE s.tenant = $1 AND s.entry_set = $2
), others AS (
    SELECT e.entry_set, e.row_number, e.unit,
        carbon.entry_value(e, s.text_keys, s.number_keys, CAST($4 AS text)) AS value,
        carbon.entry_values(e, s.text_keys, s.number_keys) AS data
    FROM carbon.entry_sets AS s
    JOIN carbon.entries AS e ON e.tenant = s.tenant AND e.entry_set = s.entry_set
    WHERE s.tenant = $1 AND s.entry_set = ANY(CAST($3 AS bigint[]))
)
SELECT row, value, upload_id, other_row, count(*) OVER () AS all_of_them
FROM (
    SELECT DISTINCT ON (n.row_number) n.row_number AS row, n.value,
        o.entry_set AS upload_id, o.row_number AS other_row, o.data = n.data AS is_equal
    FROM own AS n
    JOIN others AS o ON o.unit = n.unit AND o.value = n.value
    ORDER BY n.row_number, o.data <> n.data, o.entry_set, o.row_number
) AS repeated
WHERE NOT is_equal
ORDER BY row
LIMIT $5
"""
# The same of rows that are not written, of which none is equal to one of another upload.
REPEATED_AHEAD = """
SELECT row, value, upload_id, other_row, count(*) OVER () AS all_of_them
FROM (
    SELECT DISTINCT ON (n.row) n.row, n.value, o.entry_set AS upload_id, o.row_number AS other_row
    FROM unnest(CAST($4 AS integer[]), CAST($5 AS text[]), CAST($6 AS text[]))
        AS n (row, unit, value)
    JOIN (
        SELECT e.entry_set, e.row_number, e.unit,
            carbon.entry_value(e, s.text_keys, s.number_keys, CAST($3 AS text)) AS value
        FROM carbon.entry_sets AS s
        JOIN carbon.entries AS e ON e.tenant = s.tenant AND e.entry_set = s.entry_set
        WHERE s.tenant = $1 AND s.entry_set = ANY(CAST($2 AS bigint[]))
    ) AS o ON o.unit = n.unit AND o.value = n.value
    ORDER BY n.row, o.entry_set, o.row_number
) AS repeated
ORDER BY row
LIMIT $7
"""


@dataclass(frozen=True, slots=True)
class KeysAhead:
    """The numbers of rows that are not written, and the unit and the key of each."""

    rows: Sequence[int]
    units: Sequence[str]
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class RepeatedKey:
    """`value` of row `row` is in row `other_row` of another upload, in the same unit."""

    row: int
    value: str
    upload_id: int
    other_row: int


async def repeated_keys(
    conn: Connection, tenant: str, entry_set: int, others: Sequence[int], column: str, most: int
) -> tuple[list[RepeatedKey], int]:
    """The first rows, at most so many, each with the first row of another upload that repeats it;
    and how many rows there are.
    """
    return _found(await conn.fetch(REPEATED, tenant, entry_set, list(others), column, most))


async def repeated_keys_ahead(
    conn: Connection, tenant: str, ahead: KeysAhead, others: Sequence[int], column: str, most: int
) -> tuple[list[RepeatedKey], int]:
    """The same of rows that are not written. None of them may be equal to one of another upload."""
    own = (ahead.rows, ahead.units, ahead.values)
    return _found(await conn.fetch(REPEATED_AHEAD, tenant, list(others), column, *own, most))


def _found(rows: Sequence[Record]) -> tuple[list[RepeatedKey], int]:
    found = [
        RepeatedKey(row["row"], row["value"], row["upload_id"], row["other_row"]) for row in rows
    ]
    return found, rows[0]["all_of_them"] if rows else 0
