"""Which rows of a large set of emissions use which factor, kept beside the set.

No index of emissions names a factor: it would cost each row that is loaded more than it saves, as
few rows are ever looked for so. A patch never changes which factor a row uses, so the list of a set
is made once, by the claim that loads it. A set without one has its rows searched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from worker_service.ledger.entry_sets import PublishedSet
from worker_service.ledger.frames import copy_in, frame_bytes
from worker_service.ledger.pool import Connection

# Entries of one patch, so that its transaction stays short. More are computed as whole sets, so no
# row is listed of a factor that more entries of a set use.
PATCH_ENTRIES_MAX = 20_000
# The rows of a smaller set are searched in milliseconds.
LISTED_SET_ROWS_MIN = 10_000
# Of more rows nothing is listed, so that the lists of one set take 12 MB at most.
LISTED_ROWS_MAX = 1_000_000
# Uses in one row of the table.
USES_PER_CHUNK = 5_000

COLUMNS = [
    "tenant",
    "emission_set",
    "entry_set",
    "chunk",
    "first_factor",
    "last_factor",
    "factor_ids",
    "row_numbers",
]
# A set that was collected meanwhile is marked no more.
MARK_LISTED = """
UPDATE carbon.emission_sets SET lists_factor_uses = true
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND NOT lists_factor_uses
    AND collected_at IS NULL
"""
_SCHEMA = {"factor_id": pl.Int64, "row_number": pl.Int32}


@dataclass(slots=True)
class FactorUses:
    """The uses of factors of one set, gathered while its batches are computed.

    `many` are the factors that more than PATCH_ENTRIES_MAX of its entries use. `is_whole` is false
    if more than LISTED_ROWS_MAX uses are left of the others.
    """

    is_whole: bool = True
    many: set[int] = field(default_factory=set)
    _counts: dict[int, int] = field(default_factory=dict)
    _parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, uses: pl.DataFrame) -> None:
        """Adds those of a batch: factor_id i64, row_number i32. Blocks."""
        if not self.is_whole:
            return
        uses = uses.filter(pl.col("factor_id").is_in(sorted(self.many)).not_())
        grown = set()
        for factor, count in uses.group_by("factor_id").len().iter_rows():
            self._counts[factor] = self._counts.get(factor, 0) + count
            if self._counts[factor] > PATCH_ENTRIES_MAX:
                grown.add(factor)
        self._parts.append(uses)
        if grown:
            self.many |= grown
            few = pl.col("factor_id").is_in(sorted(grown)).not_()
            self._parts = [pl.concat(self._parts).filter(few)]
        if sum(part.height for part in self._parts) > LISTED_ROWS_MAX:
            self.is_whole, self._parts, self._counts = False, [], {}

    def rows(self, tenant: str, emission_set: int, entries: PublishedSet) -> bytes:
        """The rows of carbon.factor_uses, for `store_uses`. Blocks."""
        listed = pl.concat([pl.DataFrame(schema=_SCHEMA), *self._parts]).sort(
            "factor_id", "row_number"
        )
        chunks: list[tuple[pl.Series, str | None]] = [
            (one["factor_id"], _array(one["row_number"]))
            for one in listed.iter_slices(USES_PER_CHUNK)
            if not one.is_empty()
        ]
        many = pl.Series(sorted(self.many), dtype=pl.Int64)
        chunks += [
            (many[at : at + USES_PER_CHUNK], None) for at in range(0, many.len(), USES_PER_CHUNK)
        ]
        rows = [
            (tenant, emission_set, entries.entry_set, number, ids[0], ids[-1], _array(ids), numbers)
            for number, (ids, numbers) in enumerate(chunks)
        ]
        if not rows:
            return b""
        return frame_bytes(pl.DataFrame(rows, schema=COLUMNS, orient="row"))


def are_listed(entries: PublishedSet) -> bool:
    """Whether a set of entries is large enough for a list."""
    return entries.row_count >= LISTED_SET_ROWS_MIN


def listed_rows(
    tenant: str, emission_set: int, uses: Mapping[PublishedSet, FactorUses]
) -> list[tuple[int, bytes]]:
    """The rows of those sets of entries of which all uses are listed, for `store_uses`. Blocks."""
    return [
        (entries.entry_set, of_set.rows(tenant, emission_set, entries))
        for entries, of_set in uses.items()
        if of_set.is_whole
    ]


def uses_by_set(emissions: pl.DataFrame, entry_sets: frozenset[int]) -> dict[int, pl.DataFrame]:
    """The uses of factors in computed emissions of these sets, for `FactorUses.add`."""
    if not entry_sets:
        return {}
    uses = emissions.filter(
        pl.col("entry_set").is_in(sorted(entry_sets)), pl.col("factor_id").is_not_null()
    )
    by_set = (
        uses.select("entry_set", *_SCHEMA)
        .unique()
        .partition_by("entry_set", as_dict=True, include_key=False)
    )
    return {int(entry_set): of_set for [entry_set], of_set in by_set.items()}


def _array(numbers: pl.Series) -> str:
    """Numbers as PostgreSQL reads an array: to send each as a parameter would take longer."""
    return "{" + ",".join(numbers.cast(pl.String)) + "}"


async def store_uses(
    conn: Connection, tenant: str, emission_set: int, uses: Sequence[tuple[int, bytes]]
) -> None:
    """Stores the lists of sets: tuples of the set of entries, and what `rows` made."""
    for entry_set, rows in uses:
        if await conn.execute(MARK_LISTED, tenant, emission_set, entry_set) == "UPDATE 1" and rows:
            await copy_in(conn, "factor_uses", COLUMNS, rows)
