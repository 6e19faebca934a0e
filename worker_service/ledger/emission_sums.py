"""Sums of a set of emissions, kept beside it: totals add up sums, and read no rows.

A set's rows never change, so its sums are made once, by the claim that loads them. A set that
another release has loaded has none: `is_summed` is false, and the next aggregation makes them.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from worker_service.ledger.pool import Connection, Ledger

# Rows summed by one statement, so that it ends well within its timeout.
SUM_ROWS = 250_000

# A double is summed as the decimal of its 15 significant digits, so the order does not matter.
SUMS_OF_ROWS = """
SELECT unit, emission_type, sum(CAST(kg AS numeric)) AS kg,
    sum(CAST(additional_value AS numeric)) AS additional_value
FROM carbon.emissions
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND row_number > $4 AND row_number <= $5
GROUP BY unit, emission_type
"""
# Of two that sum a set at once, the second finds it summed. Without zeros at the end, so that equal
# sums have the same digits, whatever they were added from.
KEEP = """
WITH summed AS (
    UPDATE carbon.emission_sets SET is_summed = true
    WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND NOT is_summed
        AND collected_at IS NULL
    RETURNING tenant, emission_set, entry_set
)
INSERT INTO carbon.emission_sums (
    tenant, emission_set, entry_set, unit, emission_type, kg, additional_value
)
SELECT s.tenant, s.emission_set, s.entry_set, n.unit, n.emission_type, trim_scale(sum(n.kg)),
    trim_scale(sum(n.additional_value))
FROM summed AS s
CROSS JOIN unnest(
    CAST($4 AS text[]), CAST($5 AS text[]), CAST($6 AS numeric[]), CAST($7 AS numeric[])
) AS n (unit, emission_type, kg, additional_value)
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


async def sum_set(
    conn: Connection, tenant: str, one: SummedSet, rows_per_statement: int = SUM_ROWS
) -> AsyncIterator[tuple[int, list[Leaf]]]:
    """Sums of the rows of one set, a slice at a time.

    Yields the row number reached, and the sums. The same unit and type may come in several slices.
    """
    for first in range(0, one.last_row_number, rows_per_statement):
        last = min(first + rows_per_statement, one.last_row_number)
        rows = await conn.fetch(SUMS_OF_ROWS, tenant, one.emission_set, one.entry_set, first, last)
        yield last, [tuple(row) for row in rows]


async def leaves_of(conn: Connection, tenant: str, one: SummedSet) -> list[Leaf]:
    """The sums of all rows of one set. The same unit and type may come several times."""
    return [leaf async for _, leaves in sum_set(conn, tenant, one) for leaf in leaves]


async def store_sums(conn: Connection, tenant: str, one: SummedSet, leaves: Sequence[Leaf]) -> None:
    """Stores the sums of a set whose rows are all loaded, unless that is done."""
    units, types, kg, additional = zip(*leaves, strict=True) if leaves else ((), (), (), ())
    of = (tenant, one.emission_set, one.entry_set)
    await conn.execute(KEEP, *of, list(units), list(types), list(kg), list(additional))


async def keep_sums(ledger: Ledger, tenant: str, one: SummedSet) -> None:
    """Sums a set whose rows are all loaded, and stores the sums, unless that is done."""
    async with ledger.session() as conn:
        await store_sums(conn, tenant, one, await leaves_of(conn, tenant, one))


async def kept_sums(conn: Connection, tenant: str, one: SummedSet) -> Sequence[Leaf]:
    """The stored sums of a set that is summed."""
    rows = await conn.fetch(KEPT_OF_SET, tenant, one.emission_set, one.entry_set)
    return [tuple(row) for row in rows]
