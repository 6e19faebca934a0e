"""Patches: published emissions that a new value of their factor changes, changed in place.

A patch is written in the publication of its recalculation, rows and sums together. So whoever reads
the set sees all of it or nothing, and the fence keeps other recalculations away.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
from asyncpg import Record

from worker_service.carbon.entry_layout import EntryLayout
from worker_service.ledger.emission_sets import InputState, StandingSet
from worker_service.ledger.entry_sets import StoredRows, columns_of
from worker_service.ledger.errors import PublicationMismatch
from worker_service.ledger.factor_uses import PATCH_ENTRIES_MAX
from worker_service.ledger.frames import copy_out
from worker_service.ledger.pool import Connection

# Emissions read by one statement, so that it ends well within its timeout.
ROWS_PER_STATEMENT = 250_000

# By set and index, whatever the statistics say. Entries to which the formula gave no number have no
# emission that names their factor, and a new value may give them one.
AFFECTED = """
SELECT s.entry_set, a.row_number
FROM unnest(
    CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS integer[]), CAST($5 AS integer[])
) AS s (emission_set, entry_set, first, last)
CROSS JOIN LATERAL (
    SELECT m.row_number
    FROM carbon.emissions AS m
    JOIN unnest(CAST($6 AS bigint[]), CAST($7 AS integer[])) AS f (factor_id, version)
        ON f.factor_id = m.factor_id AND f.version <> m.factor_version
    WHERE m.tenant = $1 AND m.emission_set = s.emission_set AND m.entry_set = s.entry_set
        AND m.row_number > s.first AND m.row_number <= s.last
    UNION
    SELECT u.row_number
    FROM carbon.uncomputed_entries AS u
    WHERE u.tenant = $1 AND u.emission_set = s.emission_set AND u.entry_set = s.entry_set
        AND u.row_number > s.first AND u.row_number <= s.last AND u.outcome = 'missing_value'
) AS a
LIMIT $8
"""
# Of sets whose uses are listed. Without a number where more entries use the factor than are listed.
LISTED = """
SELECT s.entry_set, n.row_number
FROM unnest(CAST($2 AS bigint[]), CAST($3 AS bigint[])) AS s (emission_set, entry_set)
JOIN carbon.factor_uses AS c
    ON c.tenant = $1 AND c.emission_set = s.emission_set AND c.entry_set = s.entry_set
    AND c.first_factor <= $6 AND c.last_factor >= $5
CROSS JOIN LATERAL unnest(c.factor_ids, c.row_numbers) AS n (factor_id, row_number)
WHERE n.factor_id = ANY(CAST($4 AS bigint[]))
LIMIT $7
"""
WITHOUT_NUMBER = """
SELECT u.entry_set, u.row_number
FROM unnest(
    CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS integer[]), CAST($5 AS integer[])
) AS s (emission_set, entry_set, first, last)
JOIN carbon.uncomputed_entries AS u
    ON u.tenant = $1 AND u.emission_set = s.emission_set AND u.entry_set = s.entry_set
    AND u.row_number > s.first AND u.row_number <= s.last
WHERE u.outcome = 'missing_value'
LIMIT $6
"""
# Each row by its key: OFFSET 0 keeps a thousand rows of a million from a scan of all.
EMISSIONS = """
SELECT m.entry_set, m.row_number, m.part, m.unit, m.emission_type, m.factor_id, m.kg,
    m.additional_value
FROM unnest(CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS integer[]))
    AS r (emission_set, entry_set, row_number)
CROSS JOIN LATERAL (
    SELECT o.*
    FROM carbon.emissions AS o
    WHERE o.tenant = $1 AND o.emission_set = r.emission_set AND o.entry_set = r.entry_set
        AND o.row_number = r.row_number
    OFFSET 0
) AS m
ORDER BY m.entry_set, m.row_number, m.part
"""
# The same. {} is the columns of a layout.
ENTRIES = """
SELECT {}
FROM unnest(CAST($2 AS bigint[]), CAST($3 AS integer[])) AS r (entry_set, row_number)
CROSS JOIN LATERAL (
    SELECT o.*
    FROM carbon.entries AS o
    WHERE o.tenant = $1 AND o.entry_set = r.entry_set AND o.row_number = r.row_number
    OFFSET 0
) AS e
ORDER BY e.entry_set, e.row_number
"""
EMISSION_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "entry_set": pl.Int64,
    "row_number": pl.Int32,
    "part": pl.Int16,
    "unit": pl.String,
    "emission_type": pl.String,
    "factor_id": pl.Int64,
    "kg": pl.Float64,
    "additional_value": pl.Float64,
}
# Sums are exact, so what goes may be taken off, and what comes added.
PATCH = """
WITH given AS (
    SELECT n.*
    FROM unnest(
        CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS integer[]), CAST($5 AS smallint[]),
        CAST($6 AS integer[]), CAST($7 AS double precision[]), CAST($8 AS double precision[])
    ) AS n (emission_set, entry_set, row_number, part, factor_version, kg, additional_value)
), changed AS (
    UPDATE carbon.emissions AS m
    SET factor_version = g.factor_version, kg = g.kg, additional_value = g.additional_value
    FROM given AS g
    JOIN carbon.emissions AS o ON o.tenant = $1 AND o.emission_set = g.emission_set
        AND o.entry_set = g.entry_set AND o.row_number = g.row_number AND o.part = g.part
    WHERE m.ctid = o.ctid
    RETURNING m.emission_set, m.entry_set, m.unit, m.emission_type,
        CAST(m.kg AS numeric) - CAST(o.kg AS numeric) AS kg,
        CAST(m.additional_value AS numeric) - CAST(o.additional_value AS numeric)
            AS additional_value
), moved AS (
    SELECT emission_set, entry_set, unit, emission_type, sum(kg) AS kg,
        coalesce(sum(additional_value), 0) AS additional_value
    FROM changed
    GROUP BY emission_set, entry_set, unit, emission_type
), summed AS (
    UPDATE carbon.emission_sums AS k
    SET kg = trim_scale(k.kg + d.kg),
        additional_value = trim_scale(k.additional_value + d.additional_value)
    FROM moved AS d
    WHERE k.tenant = $1 AND k.emission_set = d.emission_set AND k.entry_set = d.entry_set
        AND k.unit = d.unit AND k.emission_type = d.emission_type
    RETURNING 1
)
SELECT (SELECT count(*) FROM changed) AS changed, (SELECT count(*) FROM moved) AS moved,
    (SELECT count(*) FROM summed) AS summed
"""
# A statement of its own, which sees the new sums.
STAMP = """
UPDATE carbon.emission_sets AS s
SET factors_token = $4, published_at = carbon.clock(),
    total_kg = coalesce((
        SELECT sum(k.kg) FROM carbon.emission_sums AS k
        WHERE k.tenant = s.tenant AND k.emission_set = s.emission_set
            AND k.entry_set = s.entry_set
    ), 0)
FROM unnest(CAST($2 AS bigint[]), CAST($3 AS bigint[])) AS p (emission_set, entry_set)
WHERE s.tenant = $1 AND s.emission_set = p.emission_set AND s.entry_set = p.entry_set
    AND s.state = 'PUBLISHED' AND s.is_summed
"""


@dataclass(frozen=True, slots=True)
class AffectedEntries:
    """Entries whose factor has another version, with the set of emissions of each."""

    emission_sets: Sequence[int]
    entry_sets: Sequence[int]
    row_numbers: Sequence[int]


async def affected_entries(
    conn: Connection, tenant: str, standing: Sequence[StandingSet], factors: pl.DataFrame
) -> AffectedEntries | None:
    """The entries that new values of factors may change. Call it within a snapshot.

    factors: factor_id, version, changed_token; those in use, which must fit the same entries as
    before. None if there are more than PATCH_ENTRIES_MAX.
    """
    found = _Found()
    by_token: dict[int, list[StandingSet]] = {}
    for one in standing:
        if one.lists_factor_uses:
            by_token.setdefault(one.factors_token, []).append(one)
    for token, sets in by_token.items():
        changed = factors.filter(pl.col("changed_token") > token)["factor_id"].sort().to_list()
        keys = ([one.emission_set for one in sets], [one.entries.entry_set for one in sets])
        if changed:
            bounds = (changed[0], changed[-1])
            found.add(await conn.fetch(LISTED, tenant, *keys, changed, *bounds, found.room))
        if found.room <= 0:
            return None
    listed = [one for one in standing if one.lists_factor_uses]
    for slices in _statements(listed):
        found.add(await conn.fetch(WITHOUT_NUMBER, tenant, *slices, found.room))
        if found.room <= 0:
            return None
    of_factors = (factors["factor_id"].to_list(), factors["version"].to_list())
    for slices in _statements([one for one in standing if not one.lists_factor_uses]):
        found.add(await conn.fetch(AFFECTED, tenant, *slices, *of_factors, found.room))
        if found.room <= 0:
            return None
    by_entries = {one.entries.entry_set: one.emission_set for one in standing}
    entry_sets = [entry_set for entry_set, _ in found.entries]
    rows = [row_number for _, row_number in found.entries]
    return AffectedEntries([by_entries[one] for one in entry_sets], entry_sets, rows)


@dataclass(slots=True)
class _Found:
    """Entries that were found, as set and row number."""

    entries: dict[tuple[int, int], None] = field(default_factory=dict)
    has_many: bool = False

    @property
    def room(self) -> int:
        """How many more may be found. 0: too many were."""
        return 0 if self.has_many else PATCH_ENTRIES_MAX + 1 - len(self.entries)

    def add(self, rows: Sequence[Record]) -> None:
        """Adds rows. One without a number stands for more than are listed."""
        self.entries |= {(row["entry_set"], row["row_number"]): None for row in rows}
        self.has_many |= any(row["row_number"] is None for row in rows)


def _statements(standing: Sequence[StandingSet]) -> Iterator[list[list[int]]]:
    """Slices of sets for one statement: emission_set, entry_set, first, last, in columns."""
    slices: list[tuple[int, int, int, int]] = []
    room = ROWS_PER_STATEMENT
    for one in standing:
        rows = one.entries.last_row_number
        for first in range(0, rows, ROWS_PER_STATEMENT):
            last = min(first + ROWS_PER_STATEMENT, rows)
            if slices and last - first > room:
                yield [list(column) for column in zip(*slices, strict=True)]
                slices, room = [], ROWS_PER_STATEMENT
            slices.append((one.emission_set, one.entries.entry_set, first, last))
            room -= last - first
    if slices:
        yield [list(column) for column in zip(*slices, strict=True)]


async def emissions_of(conn: Connection, tenant: str, of: AffectedEntries) -> bytes:
    """Their published emissions, for `frame_of` with EMISSION_SCHEMA, in order."""
    keys = (list(of.emission_sets), list(of.entry_sets), list(of.row_numbers))
    return await copy_out(conn, EMISSIONS, tenant, *keys)


async def entries_of(
    conn: Connection, tenant: str, of: AffectedEntries, standing: Sequence[StandingSet]
) -> list[StoredRows]:
    """Their stored entries, those of each layout in order. `standing` has all of their sets."""
    layouts = {one.entries.entry_set: one.entries.layout for one in standing}
    keys: dict[EntryLayout, tuple[list[int], list[int]]] = {}
    for entry_set, row_number in zip(of.entry_sets, of.row_numbers, strict=True):
        sets, rows = keys.setdefault(layouts[entry_set], ([], []))
        sets.append(entry_set)
        rows.append(row_number)
    found = []
    for layout, (sets, rows) in keys.items():
        query = ENTRIES.format(columns_of(layout, "e."))
        found.append(StoredRows(await copy_out(conn, query, tenant, sets, rows), layout))
    return found


async def publish_patch(
    conn: Connection,
    tenant: str,
    patched: Sequence[StandingSet],
    emissions: pl.DataFrame,
    inputs: InputState,
) -> None:
    """Changes published emissions, their sums, and what their sets were computed from.

    emissions: emission_set, entry_set, row_number, part, factor_version, kg, additional_value. Call
    it within the publication of the recalculation. Raises PublicationMismatch.
    """
    columns = [column.to_list() for column in emissions.select(*_PATCHED).iter_columns()]
    done = await conn.fetchrow(PATCH, tenant, *columns)
    assert done is not None, "a selection without FROM has a row"
    if done["changed"] != emissions.height or done["summed"] != done["moved"]:
        raise PublicationMismatch(f"of {emissions.height} emissions to patch: {dict(done)}")
    sets = ([one.emission_set for one in patched], [one.entries.entry_set for one in patched])
    stamped = await conn.execute(STAMP, tenant, *sets, inputs.factors_token)
    if stamped != f"UPDATE {len(patched)}":
        raise PublicationMismatch(f"of {len(patched)} sets of emissions to patch: {stamped}")


_PATCHED = (
    "emission_set",
    "entry_set",
    "row_number",
    "part",
    "factor_version",
    "kg",
    "additional_value",
)
