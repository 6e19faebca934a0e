"""Columns of a batch reach PostgreSQL as they were given, however odd their texts are; thousands of
rows keep nobody waiting.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest

from scheduler_service.store.core.statements import (
    AT_ONCE,
    Row,
    Statement,
    parse_statement,
    parts_of,
)

TEXTS = (
    "",
    "plain",
    "two words",
    "a,b",
    "{a}",
    "NULL",
    'say "no"',
    "\\",
    '\\"',
    "line\nline",
    "é🙂",
)
COLUMN = """
-- What came of a column, in order.
SELECT n.given FROM unnest(CAST(:given AS {element}[])) WITH ORDINALITY AS n (given, number)
ORDER BY n.number;
"""


async def returned(url: str, element: str, given: Sequence[object]) -> list[object]:
    asked = parse_statement("column", COLUMN.format(element=element))
    assert "CAST($1 AS text)" in asked.text
    conn = await asyncpg.connect(url)
    try:
        rows = await conn.fetch(asked.text, *asked.arguments({"given": given}))
        return [row["given"] for row in rows]
    finally:
        await conn.close()


@pytest.mark.parametrize(
    ("element", "given"),
    [
        ("bigint", [1, -(2**63), None, 2**63 - 1]),
        ("integer", [0]),
        ("smallint", []),
        ("boolean", [True, False, None]),
        ("text", list(TEXTS)),
        ("text", [None, *TEXTS]),
        ("text", ["", ""]),
        ("text", [None]),
        ("text", []),
        ("uuid", [uuid4(), UUID(int=0)]),
    ],
)
async def test_a_column_arrives_as_it_was_given(
    database_url: str, element: str, given: list[object]
) -> None:
    assert await returned(database_url, element, given) == given


async def test_every_pair_of_odd_texts_stays_apart(database_url: str) -> None:
    pairs = [text for first in TEXTS for second in TEXTS for text in (first, second)]
    assert await returned(database_url, "text", pairs) == pairs


@pytest.mark.parametrize(
    ("element", "given"),
    [("bigint", ["1,2"]), ("bigint", [1.5]), ("text", [1]), ("text", [None, 1])],
)
def test_a_value_of_another_type_is_refused(element: str, given: list[object]) -> None:
    asked = parse_statement("column", COLUMN.format(element=element))
    with pytest.raises((TypeError, AttributeError)):
        asked.arguments({"given": given})


async def test_a_number_that_is_too_large_is_a_value_that_is_refused(database_url: str) -> None:
    with pytest.raises(asyncpg.DataError):
        await returned(database_url, "bigint", [2**63])


def test_an_array_that_is_read_for_each_row_stays_with_the_driver() -> None:
    asked = parse_statement(
        "both",
        "SELECT 1 FROM unnest(CAST(:a AS text[]), CAST(:b AS text[]), CAST(:c AS jsonb[])) AS n"
        " WHERE n.a = ANY(CAST(:b AS text[]))",
    )
    assert asked.columns.keys() == {"a"}
    assert "CAST($2 AS text[])" in asked.text


class NumberRow(Row):
    __slots__ = ()
    number: int


class Served:
    """How often other tasks are served."""

    def __init__(self) -> None:
        self.times = 0

    async def look(self) -> None:
        while True:
            self.times += 1
            await asyncio.sleep(0)


async def test_others_are_served_between_two_parts_of_many() -> None:
    served, seen, items = Served(), [], range(3 * AT_ONCE + 1)
    looking = asyncio.create_task(served.look())
    parts: list[Sequence[int]] = []
    async for part in parts_of(items):
        parts.append(part)
        seen.append(served.times)
    looking.cancel()
    assert [number for part in parts for number in part] == list(items)
    assert max(map(len, parts)) == AT_ONCE
    assert seen == sorted(set(seen))
    assert [part async for part in parts_of(items[:0])] == []


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
async def test_many_rows_are_the_rows(database_url: str, count: int) -> None:
    numbers = Statement("n", "SELECT n AS number FROM generate_series(1, $1) AS n", ("count",))
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            many = await numbers.many_rows(conn, NumberRow, count=count)
    finally:
        await conn.close()
    assert [row.number for row in many] == list(range(1, count + 1))
