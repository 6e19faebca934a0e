"""Entries in sets: a claim loads a set unseen, then publishes it in one short transaction.

`open_set` makes a set in state LOADING; its number is the claim token. `publish_upload` moves it to
PUBLISHED. A set moves to RETIRED when another one replaces it or it is withdrawn. The collector
deletes the rows of sets that are RETIRED, or LOADING and left behind by their claim.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from asyncpg import Record

from worker_service.carbon.entry_layout import WITHOUT_COLUMNS, EntryLayout
from worker_service.ledger.frames import copy_in, copy_out, frame_of
from worker_service.ledger.pool import Connection, Ledger

BATCH_ROWS = 12_500

DEFAULT_SOURCE = "default"

# The column source is for a worker of the build before: by it that one replaces a year's uploads.
OPEN_SET = """
INSERT INTO carbon.entry_sets (
    tenant, entry_set, module, data_entry_type, year, unit, source, source_name, blob, file_name,
    pipeline_id, submitted_by, mapping, sheet, text_keys, number_keys, state, made_at
)
VALUES (
    $1, $2, $3, $4, $5, $6, CASE WHEN CAST($6 AS text) IS NULL THEN 'csv_year' ELSE 'csv_unit' END,
    $7, $8, $9, $10, $11, CAST($12 AS jsonb), $13, $14, $15, 'LOADING', carbon.clock()
)
"""
# A set that is being loaded is younger than a day, however long that takes: see `collect`.
STILL_LOADING = """
UPDATE carbon.entry_sets SET made_at = carbon.clock()
WHERE tenant = $1 AND entry_set = $2 AND state = 'LOADING'
    AND made_at < (SELECT carbon.clock()) - interval '1 hour'
"""
PUBLISHED_SETS = """
SELECT s.entry_set, s.row_count, s.last_row_number,
    coalesce((
        SELECT max(e.changed_token) FROM carbon.entries AS e
        WHERE e.tenant = s.tenant AND e.entry_set = s.entry_set AND e.changed_token IS NOT NULL
    ), 0) AS changed_token, s.text_keys, s.number_keys
FROM carbon.entry_sets AS s
WHERE s.tenant = $1 AND s.data_entry_type = $2 AND s.year = $3 AND s.state = 'PUBLISHED'
ORDER BY s.entry_set
"""
# {} is the columns of a layout.
ROWS_OF_SET = """
SELECT {}
FROM carbon.entries
WHERE tenant = $1 AND entry_set = $2 AND row_number > $3 AND row_number <= $4
ORDER BY row_number
"""
ROWS_OF_SETS = """
SELECT {}
FROM carbon.entries
WHERE tenant = $1 AND entry_set = ANY(CAST($2 AS bigint[]))
ORDER BY entry_set, row_number
"""
YEARS_OF_TYPE = """
SELECT DISTINCT year FROM carbon.entry_sets
WHERE tenant = $1 AND data_entry_type = $2 AND state = 'PUBLISHED'
ORDER BY year
"""


@dataclass(frozen=True, slots=True)
class NewSet:
    """A set of entries to load.

    `entry_set` is the claim token. `unit` is None for a file of all units. `source` says who
    reports: files of two sources do not replace each other. `blob` is the reference of the file,
    `mapping` that of the job's payload, None if the file is read as it is, `sheet` the one of a
    workbook that was asked for, "" for none. `layout`: where the values of its rows stand.
    """

    tenant: str
    entry_set: int
    module: int
    data_entry_type: int
    year: int
    unit: str | None
    blob: str
    source: str = DEFAULT_SOURCE
    file_name: str = ""
    pipeline_id: int | None = None
    submitted_by: str = ""
    mapping: Mapping[str, Any] | None = None
    sheet: str = ""
    layout: EntryLayout = WITHOUT_COLUMNS


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """A set that counts. `changed_token` is that of the latest change to its rows, 0 if none."""

    entry_set: int
    row_count: int
    last_row_number: int
    changed_token: int
    layout: EntryLayout = WITHOUT_COLUMNS


@dataclass(frozen=True, slots=True)
class StoredRows:
    """A batch of rows as COPY gives them. They are of one layout."""

    rows: bytes
    layout: EntryLayout

    def frame(self) -> pl.DataFrame:
        """Stored entries: entry_set, row_number, unit, those of the layout, extra. Blocks."""
        return frame_of(
            self.rows,
            {
                "entry_set": pl.Int64,
                "row_number": pl.Int32,
                "unit": pl.String,
                **self.layout.schema,
                "extra": pl.String,
            },
        )


NO_ROWS = StoredRows(b"", WITHOUT_COLUMNS)


async def open_set(conn: Connection, new: NewSet) -> None:
    """Makes an empty set in state LOADING."""
    await conn.execute(
        OPEN_SET,
        new.tenant,
        new.entry_set,
        new.module,
        new.data_entry_type,
        new.year,
        new.unit,
        new.source,
        new.blob,
        new.file_name,
        new.pipeline_id,
        new.submitted_by,
        None if new.mapping is None else json.dumps(new.mapping),
        new.sheet,
        list(new.layout.texts),
        list(new.layout.numbers),
    )


def entry_rows(new: NewSet, stored: pl.DataFrame) -> pl.DataFrame:
    """The rows of carbon.entries for a batch of stored entries in the layout of the set.

    Raises ValueError for values that the layout has no column for.
    """
    own = ("row_number", "unit", *new.layout.schema, "extra")
    if lost := [name for name in stored.columns if name not in own]:
        raise ValueError(f"the layout of set {new.entry_set} lacks {', '.join(lost)}")
    ids = (pl.lit(new.tenant).alias("tenant"), pl.lit(new.entry_set).alias("entry_set"))
    return stored.select(*ids, *own)


async def load_entries(conn: Connection, new: NewSet, rows: bytes) -> None:
    """Adds a batch of rows, made by `frame_bytes`, to a set in state LOADING."""
    await conn.execute(STILL_LOADING, new.tenant, new.entry_set)
    await copy_in(conn, "entries", ["tenant", *_columns(new.layout)], rows)


async def published_sets(
    conn: Connection, tenant: str, data_entry_type: int, year: int
) -> list[PublishedSet]:
    """The sets that a recalculation reads, oldest first."""
    rows = await conn.fetch(PUBLISHED_SETS, tenant, data_entry_type, year)
    return [
        PublishedSet(
            row["entry_set"],
            row["row_count"],
            row["last_row_number"],
            row["changed_token"],
            layout_in(row),
        )
        for row in rows
    ]


def layout_in(row: Record) -> EntryLayout:
    """The layout of a set, of a row with its text_keys and number_keys."""
    return EntryLayout(tuple(row["text_keys"]), tuple(row["number_keys"]))


def columns_of(layout: EntryLayout, of: str = "") -> str:
    """For SELECT: the columns of rows of a layout, as `StoredRows` has them. `of`: such as "e."."""
    return ", ".join(f"{of}{column}" for column in _columns(layout))


def _columns(layout: EntryLayout) -> Sequence[str]:
    return ("entry_set", "row_number", "unit", *layout.columns, "extra")


async def read_slice(
    conn: Connection, tenant: str, of: PublishedSet, behind: int, through: int
) -> StoredRows:
    """The rows of a set whose numbers are larger than `behind`, up to `through`."""
    query = ROWS_OF_SET.format(columns_of(of.layout))
    rows = await copy_out(conn, query, tenant, of.entry_set, behind, through)
    return StoredRows(rows, of.layout)


async def read_entries(
    conn: Connection, tenant: str, published: PublishedSet, batch_rows: int = BATCH_ROWS
) -> AsyncIterator[StoredRows]:
    """The rows of a set in batches. Skips empty batches."""
    for first in range(0, published.last_row_number, batch_rows):
        batch = await read_slice(conn, tenant, published, first, first + batch_rows)
        if batch.rows:
            yield batch


async def read_sets(
    conn: Connection, tenant: str, sets: Sequence[PublishedSet], batch_rows: int = BATCH_ROWS
) -> AsyncIterator[StoredRows]:
    """The rows of sets in batches. Small sets of the same layout share a batch.

    Skips empty batches.
    """
    for part in sharing_batches(sets, batch_rows):
        first, *others = part
        if not others:
            async for batch in read_entries(conn, tenant, first, batch_rows):
                yield batch
            continue
        query = ROWS_OF_SETS.format(columns_of(first.layout))
        if rows := await copy_out(conn, query, tenant, [one.entry_set for one in part]):
            yield StoredRows(rows, first.layout)


def sharing_batches(
    sets: Sequence[PublishedSet], batch_rows: int
) -> Iterator[Sequence[PublishedSet]]:
    """Sets in order, each alone or with its neighbours, if they fit into a batch together.

    Those of a batch have one layout.
    """
    part: list[PublishedSet] = []
    room = batch_rows
    for one in sets:
        if part and (one.last_row_number > room or one.layout != part[0].layout):
            yield part
            part, room = [], batch_rows
        part.append(one)
        room -= one.last_row_number
    if part:
        yield part


async def years_with_entries(ledger: Ledger, tenant: str, data_entry_type: int) -> Sequence[int]:
    """The years in which entries of a type count, in order."""
    async with ledger.session() as conn:
        return [row["year"] for row in await conn.fetch(YEARS_OF_TYPE, tenant, data_entry_type)]
