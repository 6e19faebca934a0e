"""Sums of a set of emissions, kept beside it: totals add up sums, and read no rows.

A set's rows never change, so its sums are made once, by the claim that loads them. A set that
another release has loaded has none: `is_summed` is false, and the next aggregation makes them.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation

from worker_service.ledger.entry_sets import PublishedSet, sharing_batches
from worker_service.ledger.pool import Connection, Ledger

# Rows summed by one statement, so that it ends well within its timeout.
SUM_ROWS = 250_000

# A double is summed as the decimal of its 15 significant digits, so the order does not matter. By
# slice and index, whatever the statistics say: what aggregates is not planned with what is outside.
SUMS_OF_ROWS = """
SELECT s.entry_set, k.unit, k.emission_type, k.kg, k.additional_value
FROM unnest(
    CAST($3 AS bigint[]), CAST($4 AS integer[]), CAST($5 AS integer[])
) AS s (entry_set, first, last)
CROSS JOIN LATERAL (
    SELECT m.unit, m.emission_type, sum(CAST(m.kg AS numeric)) AS kg,
        sum(CAST(m.additional_value AS numeric)) AS additional_value
    FROM carbon.emissions AS m
    WHERE m.tenant = $1 AND m.emission_set = $2 AND m.entry_set = s.entry_set
        AND m.row_number > s.first AND m.row_number <= s.last
    GROUP BY m.unit, m.emission_type
) AS k
"""
# Of two that sum a set at once, the second finds it summed. Without zeros at the end, so that equal
# sums have the same digits, whatever they were added from.
KEEP = """
WITH summed AS (
    UPDATE carbon.emission_sets SET is_summed = true
    WHERE tenant = $1 AND emission_set = $2 AND entry_set = ANY(CAST($3 AS bigint[]))
        AND NOT is_summed AND collected_at IS NULL
    RETURNING tenant, emission_set, entry_set
)
INSERT INTO carbon.emission_sums (
    tenant, emission_set, entry_set, unit, emission_type, kg, additional_value
)
SELECT s.tenant, s.emission_set, s.entry_set, n.unit, n.emission_type, trim_scale(sum(n.kg)),
    trim_scale(sum(n.additional_value))
FROM summed AS s
JOIN unnest(
    CAST($4 AS bigint[]), CAST($5 AS text[]), CAST($6 AS text[]), CAST($7 AS numeric[]),
    CAST($8 AS numeric[])
) AS n (entry_set, unit, emission_type, kg, additional_value) USING (entry_set)
GROUP BY s.tenant, s.emission_set, s.entry_set, n.unit, n.emission_type
"""
KEPT_OF_SET = """
SELECT unit, emission_type, kg, additional_value
FROM carbon.emission_sums
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""


@dataclass(frozen=True, slots=True)
class SummedSet:
    """A published set of emissions. `is_summed` is false if its sums are not kept yet."""

    emission_set: int
    entry_set: int
    last_row_number: int
    is_summed: bool = False


# Unit, emission type, kg CO2eq, additional value. Exact.
Leaf = tuple[str, str, Decimal, Decimal | None]
# With the set of entries before it.
SetLeaf = tuple[int, str, str, Decimal, Decimal | None]
# Doubles with 15 significant digits span some 650 digits. A sum that would round raises.
EXACT = Context(prec=1_000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact, InvalidOperation])


@dataclass(frozen=True, slots=True)
class RowSlice:
    """Rows of a set of entries: those numbered above `first`, up to `last`."""

    entry_set: int
    first: int
    last: int


@dataclass(slots=True)
class LeafSums:
    """Sums of slices that have no row in common, added up exactly: no more than one for each set,
    unit and emission type, however many slices there are.
    """

    _sums: dict[int, dict[tuple[str, str], tuple[Decimal, Decimal | None]]] = field(
        default_factory=dict
    )

    def add(self, leaves: Iterable[SetLeaf]) -> None:
        """Adds the sums of further rows."""
        for entry_set, unit, emission_type, kg, additional in leaves:
            of_set = self._sums.setdefault(entry_set, {})
            sums = of_set.get((unit, emission_type))
            if sums is None:
                of_set[unit, emission_type] = kg, additional
            else:
                of_set[unit, emission_type] = EXACT.add(sums[0], kg), _both(sums[1], additional)

    def of_sets(self, entry_sets: Sequence[int]) -> list[SetLeaf]:
        """The sums of some sets. A set without emissions has none."""
        return [
            (entry_set, unit, emission_type, kg, additional)
            for entry_set in entry_sets
            for (unit, emission_type), (kg, additional) in self._sums.get(entry_set, {}).items()
        ]


def _both(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Their sum, as SQL has it: what is null adds nothing."""
    if one is None or other is None:
        return one if other is None else other
    return EXACT.add(one, other)


async def sum_set(
    conn: Connection, tenant: str, one: SummedSet, rows_per_statement: int = SUM_ROWS
) -> AsyncIterator[tuple[int, list[Leaf]]]:
    """Sums of the rows of one set, a slice at a time.

    Yields the row number reached, and the sums. The same unit and type may come in several slices.
    """
    for first in range(0, one.last_row_number, rows_per_statement):
        last = min(first + rows_per_statement, one.last_row_number)
        slice_ = RowSlice(one.entry_set, first, last)
        rows = await sums_of_slices(conn, tenant, one.emission_set, [slice_])
        yield last, [row[1:] for row in rows]


async def sums_of_slices(
    conn: Connection, tenant: str, emission_set: int, slices: Sequence[RowSlice]
) -> list[SetLeaf]:
    """The sums of the rows of slices. The same unit and type of a set may come several times."""
    columns = zip(*((one.entry_set, one.first, one.last) for one in slices), strict=True)
    rows = await conn.fetch(SUMS_OF_ROWS, tenant, emission_set, *map(list, columns))
    return [tuple(row) for row in rows]


async def leaves_of(
    conn: Connection, tenant: str, emission_set: int, sets: Sequence[PublishedSet]
) -> list[SetLeaf]:
    """The sums of all rows of sets of one claim: small ones in one statement.

    The same unit and type of a set may come several times.
    """
    leaves: list[SetLeaf] = []
    for part in sharing_batches(sets, SUM_ROWS):
        if len(part) == 1:
            one = SummedSet(emission_set, part[0].entry_set, part[0].last_row_number)
            async for _, found in sum_set(conn, tenant, one):
                leaves += [(one.entry_set, *leaf) for leaf in found]
        else:
            slices = [RowSlice(one.entry_set, 0, one.last_row_number) for one in part]
            leaves += await sums_of_slices(conn, tenant, emission_set, slices)
    return leaves


async def store_sums(
    conn: Connection,
    tenant: str,
    emission_set: int,
    entry_sets: Sequence[int],
    leaves: Sequence[SetLeaf],
) -> None:
    """Stores the sums of sets whose rows are all loaded, unless that is done."""
    columns = zip(*leaves, strict=True) if leaves else ((),) * 5
    of = (tenant, emission_set, list(entry_sets))
    await conn.execute(KEEP, *of, *map(list, columns))


async def keep_sums(ledger: Ledger, tenant: str, one: SummedSet) -> None:
    """Sums a set whose rows are all loaded, and stores the sums, unless that is done."""
    async with ledger.session() as conn:
        leaves = [
            (one.entry_set, *leaf)
            async for _, found in sum_set(conn, tenant, one)
            for leaf in found
        ]
        await store_sums(conn, tenant, one.emission_set, [one.entry_set], leaves)


async def kept_sums(conn: Connection, tenant: str, one: SummedSet) -> Sequence[Leaf]:
    """The stored sums of a set that is summed."""
    rows = await conn.fetch(KEPT_OF_SET, tenant, one.emission_set, one.entry_set)
    return [tuple(row) for row in rows]
