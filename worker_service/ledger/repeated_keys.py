"""Rows of an upload whose key, such as a person, another upload has in the same unit, too."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker_service.ledger.pool import Connection

# Rows that are equal as a whole to one of another upload are told as such, and not once more.
REPEATED = """
SELECT row, value, upload_id, other_row, count(*) OVER () AS all_of_them
FROM (
    SELECT DISTINCT ON (n.row_number) n.row_number AS row, n.data ->> CAST($4 AS text) AS value,
        o.entry_set AS upload_id, o.row_number AS other_row, o.data = n.data AS is_equal
    FROM carbon.entries AS n
    JOIN carbon.entries AS o
        ON o.tenant = n.tenant AND o.entry_set = ANY(CAST($3 AS bigint[])) AND o.unit = n.unit
        AND o.data ->> CAST($4 AS text) = n.data ->> CAST($4 AS text)
    WHERE n.tenant = $1 AND n.entry_set = $2
    ORDER BY n.row_number, o.data <> n.data, o.entry_set, o.row_number
) AS repeated
WHERE NOT is_equal
ORDER BY row
LIMIT $5
"""


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
    rows = await conn.fetch(REPEATED, tenant, entry_set, list(others), column, most)
    found = [
        RepeatedKey(row["row"], row["value"], row["upload_id"], row["other_row"]) for row in rows
    ]
    return found, rows[0]["all_of_them"] if rows else 0
