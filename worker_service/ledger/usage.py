"""Counts the entries that use a place or row by the key that they name, a factor, or a unit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from worker_service.ledger.pool import Connection

# Rows read by one statement, so that it ends well within its timeout.
ROWS_PER_STATEMENT = 250_000

ENTRY_SETS = """
SELECT entry_set, last_row_number, year, text_keys, number_keys
FROM carbon.entry_sets
WHERE tenant = $1 AND data_entry_type = $2 AND state = 'PUBLISHED'
ORDER BY year, entry_set
"""
# The row without a key counts the entries that use any of them, each once. {} is who uses what.
_USES = """
SELECT u.code AS key, count(DISTINCT u.row_number) AS entries
FROM ({}) AS u
JOIN unnest(CAST($8 AS text[])) AS w (code) ON w.code = u.code
GROUP BY GROUPING SETS ((u.code), ())
"""
_BY_ENTRIES = """
    SELECT e.row_number,
        concat_ws(
            ', ',
            carbon.entry_value(e, CAST($10 AS text[]), CAST($11 AS text[]), c.name),
            carbon.entry_value(e, CAST($10 AS text[]), CAST($11 AS text[]), c.second),
            CAST($9 AS text)
        ) AS code
    FROM carbon.entries AS e
    CROSS JOIN unnest(CAST($5 AS text[]), CAST($6 AS text[])) AS c (name, second)
    WHERE e.tenant = $1 AND e.entry_set = $2 AND e.row_number > $3 AND e.row_number <= $4
        AND NOT EXISTS (
            SELECT FROM unnest(CAST($7 AS text[])) AS x (key)
            WHERE carbon.entry_value(e, CAST($10 AS text[]), CAST($11 AS text[]), x.key) IS NOT NULL
        )
"""
# Where the factor that an entry was computed with names a place. What identifies a factor never
# changes, so that the factor in force says it of all versions.
_BY_FACTORS = """
    SELECT m.row_number,
        concat_ws(
            ', ',
            f.classification ->> c.name,
            f.classification ->> c.second,
            CAST($9 AS text)
        ) AS code
    FROM carbon.emission_sets AS s
    JOIN carbon.emissions AS m
        ON m.tenant = s.tenant AND m.emission_set = s.emission_set AND m.entry_set = s.entry_set
    JOIN carbon.factors AS f ON f.tenant = m.tenant AND f.factor_id = m.factor_id
    CROSS JOIN unnest(CAST($5 AS text[]), CAST($6 AS text[])) AS c (name, second)
    WHERE s.tenant = $1 AND s.entry_set = $2 AND s.state = 'PUBLISHED'
        AND m.row_number > $3 AND m.row_number <= $4
"""
PLACES = _USES.format(_BY_ENTRIES)
PLACES_AND_FACTORS = _USES.format(f"{_BY_ENTRIES} UNION ALL {_BY_FACTORS}")
ALL_ENTRY_SETS = """
SELECT entry_set, unit, last_row_number
FROM carbon.entry_sets
WHERE tenant = $1 AND state = 'PUBLISHED'
ORDER BY entry_set
"""
UNITS = """
SELECT unit AS key, count(*) AS entries
FROM carbon.entries
WHERE tenant = $1 AND entry_set = $2 AND row_number > $3 AND row_number <= $4
    AND unit = ANY(CAST($5 AS text[]))
GROUP BY GROUPING SETS ((unit), ())
"""
EMISSION_SETS = """
SELECT emission_set, entry_set, last_row_number
FROM carbon.emission_sets
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'PUBLISHED'
ORDER BY emission_set, entry_set
"""
FACTORS = """
SELECT m.factor_id AS key, count(DISTINCT m.row_number) AS entries
FROM carbon.emissions AS m
JOIN unnest(CAST($6 AS bigint[])) AS w (factor_id) ON w.factor_id = m.factor_id
WHERE m.tenant = $1 AND m.emission_set = $2 AND m.entry_set = $3
    AND m.row_number > $4 AND m.row_number <= $5
GROUP BY GROUPING SETS ((m.factor_id), ())
"""


@dataclass(frozen=True, slots=True)
class PlaceColumns:
    """The one or two columns of a type that name each place, or row of reference data.

    Entries with a value in `excused_by` need none. With `with_year`, keys end with the year of the
    entry. With `with_factors`, factors name one by the same columns.
    """

    data_entry_type: int
    columns: Sequence[tuple[str, ...]]
    excused_by: Sequence[str]
    with_year: bool = False
    with_factors: bool = False


@dataclass(slots=True)
class Usage:
    """Entries per key (a code or a factor id), and how many use any of the keys."""

    by_key: Counter[Any]
    entries: int = 0

    def add(self, rows: Sequence[Any]) -> None:
        """Adds the counts of one statement."""
        for row in rows:
            if row["key"] is None:
                self.entries += row["entries"]
            else:
                self.by_key[row["key"]] += row["entries"]


async def usage_of_places(
    conn: Connection, tenant: str, readers: Sequence[PlaceColumns], codes: Sequence[str]
) -> Usage:
    """The entries of all years that name one of these codes, or whose factors do.

    Call it within a snapshot.
    """
    usage = Usage(Counter())
    for reader in readers:
        names = [columns[0] for columns in reader.columns]
        seconds = [columns[1] if len(columns) > 1 else None for columns in reader.columns]
        query = PLACES_AND_FACTORS if reader.with_factors else PLACES
        for one in await conn.fetch(ENTRY_SETS, tenant, reader.data_entry_type):
            year = str(one["year"]) if reader.with_year else None
            for first, last in _slices(one["last_row_number"]):
                rows = await conn.fetch(
                    query,
                    *(tenant, one["entry_set"], first, last),
                    *(names, seconds, list(reader.excused_by), list(codes), year),
                    *(one["text_keys"], one["number_keys"]),
                )
                usage.add(rows)
    return usage


async def usage_of_factors(
    conn: Connection, tenant: str, data_entry_type: int, year: int, factor_ids: Sequence[int]
) -> Usage:
    """The entries whose published emissions used one of these factors.

    Call it within a snapshot.
    """
    usage = Usage(Counter())
    for one in await conn.fetch(EMISSION_SETS, tenant, data_entry_type, year):
        for first, last in _slices(one["last_row_number"]):
            rows = await conn.fetch(
                FACTORS,
                *(tenant, one["emission_set"], one["entry_set"], first, last),
                list(factor_ids),
            )
            usage.add(rows)
    return usage


async def usage_of_units(
    conn: Connection, tenant: str, units: Sequence[str], looked_at: set[int] | None = None
) -> Usage:
    """The entries of all years of these units, by their stored ids. Call it within a snapshot.

    Uploads in `looked_at` are skipped. The others are added to it.
    """
    usage, known = Usage(Counter()), looked_at if looked_at is not None else set()
    for one in await conn.fetch(ALL_ENTRY_SETS, tenant):
        if one["entry_set"] in known:
            continue
        known.add(one["entry_set"])
        if one["unit"] is None or one["unit"] in units:
            for first, last in _slices(one["last_row_number"]):
                of_rows = (tenant, one["entry_set"], first, last)
                usage.add(await conn.fetch(UNITS, *of_rows, list(units)))
    return usage


def _slices(last_row_number: int) -> Iterator[tuple[int, int]]:
    for first in range(0, last_row_number, ROWS_PER_STATEMENT):
        yield first, first + ROWS_PER_STATEMENT
