"""The columns that rows declare are those that PostgreSQL answers."""

import ast
import importlib
import inspect
import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Union, get_args, get_origin
from uuid import UUID

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement

import scheduler_service
from scheduler_service.store.core.rows import JobRow, ShownJobRow
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.tables import METADATA
from scheduler_service.store.reads.rows import PipelineRow, YearRow

PACKAGE = Path(scheduler_service.__file__).parent
# What the driver makes of PostgreSQL's types.
PYTHON_TYPES: Mapping[str, object] = {
    "int2": int,
    "int4": int,
    "int8": int,
    "int2[]": list[int],
    "int8[]": list[int],
    "text": str,
    "text[]": list[str],
    "bool": bool,
    "float8": float,
    "timestamptz": datetime,
    "uuid": UUID,
    "bytea": bytes,
    "jsonb": Mapping[str, Any],
}


class Use(NamedTuple):
    """A place where a statement is run, and the class of its rows."""

    statement: str
    row: type[Row]


def uses() -> Iterator[Use]:
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text("utf-8")
        if 'statement("' not in source:
            continue
        dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        names = vars(importlib.import_module(dotted))
        for call in ast.walk(ast.parse(source)):
            match call:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Call(func=ast.Name("statement"), args=[ast.Constant(str(name))]),
                        attr="rows",
                    ),
                    args=[_, ast.Name(row)],
                ):
                    yield Use(name, names[row])
                case _:
                    pass


USES = sorted(set(uses()), key=lambda use: (use.statement, use.row.__name__))
ROWS = sorted({use.row for use in USES}, key=lambda row: row.__name__)


def columns_of(row: type[Row]) -> dict[str, object]:
    """The declared columns with their types, those of the base classes first."""
    found: dict[str, object] = {}
    for base in reversed(row.__mro__):
        if issubclass(base, Row):
            found |= inspect.get_annotations(base)
    return found


def without_none(declared: object) -> object:
    """The type itself, whether or not it may be None."""
    if get_origin(declared) in (Union, types.UnionType):
        (inner,) = [part for part in get_args(declared) if part is not types.NoneType]
        return inner
    return declared


def may_be_none(declared: object) -> bool:
    return without_none(declared) is not declared


def answered(prepared: "PreparedStatement[asyncpg.Record]") -> dict[str, object]:
    """The columns that PostgreSQL answers, with what the driver makes of their types."""
    return {column.name: PYTHON_TYPES[column.type.name] for column in prepared.get_attributes()}


def test_every_statement_that_answers_says_what() -> None:
    source = "\n".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    calls = [
        call
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "rows"
    ]
    assert len(calls) == len(list(uses()))
    assert len(USES) > 40


async def test_rows_have_the_columns_of_their_statements(database_url: str) -> None:
    conn = await asyncpg.connect(database_url)
    try:
        for use in USES:
            declared = {name: without_none(kind) for name, kind in columns_of(use.row).items()}
            asked = statement(use.statement).text
            found = answered(await conn.prepare(asked))
            if ".*" in asked or "SELECT *" in asked:
                # A view as a whole: not all of it is read.
                found = {name: kind for name, kind in found.items() if name in declared}
            assert declared == found, use
    finally:
        await conn.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_a_row_is_as_small_as_the_record_that_it_is(row: type[Row]) -> None:
    assert row.__dictoffset__ == 0


@pytest.mark.parametrize(
    ("row", "table"),
    [
        (JobRow, "jobs"),
        (ShownJobRow, "jobs"),
        (PipelineRow, "pipelines"),
        (YearRow, "years"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_what_may_be_null_may_be_none(row: type[Row], table: str) -> None:
    columns = METADATA.tables[f"scheduler.{table}"].columns
    declared = {
        name: may_be_none(column) for name, column in columns_of(row).items() if name in columns
    }
    assert len(declared) > 5
    assert declared == {name: columns[name].nullable for name in declared}
