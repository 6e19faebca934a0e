"""Loads the statements of the store's rooms by name and binds their named parameters.

Columns of a batch are sent as PostgreSQL writes arrays: the driver takes three times as long for
them.
"""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from operator import itemgetter
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import asyncpg

Literal: TypeAlias = Callable[[Sequence[Any]], str]

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
_COLUMNS = r"CAST\(:[a-z_]+ AS \w+\[\]\)"
# The only place where PostgreSQL reads an array once per statement, however many rows there are.
_UNNESTED = re.compile(rf"unnest\(\s*{_COLUMNS}(?:,\s*{_COLUMNS})*\s*\)")
_COLUMN = re.compile(r"CAST\(:([a-z_]+) AS (\w+)\[\]\)")
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)

# Of thousands, so many are worked on before other calls are served: some milliseconds' work.
AT_ONCE = 500


class WrongParameters(Exception):
    """A statement was called with other parameters than its file names."""


class Row(asyncpg.Record):
    """A row of a statement. A subclass declares the columns, each as an attribute with its type.

    A test compares the columns and types with what PostgreSQL answers. Nothing is copied: an
    attribute is read from the record. A subclass has empty slots, so that its rows stay as small.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        """Reads each declared attribute from the column of its name."""
        super().__init_subclass__()
        for column in inspect.get_annotations(cls):
            setattr(cls, column, property(itemgetter(column)))


AnyRow = TypeVar("AnyRow", bound=Row)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Statement:
    """One promise in SQL. Its parameters are the :names of the file, in order of appearance."""

    name: str
    text: str
    parameters: tuple[str, ...]
    # How to write those that the statement takes as texts.
    columns: Mapping[str, Literal] = field(default_factory=dict)

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the parameters; WrongParameters if the names differ."""
        if given.keys() != set(self.parameters):
            raise WrongParameters(f"{self.name}: takes {self.parameters}, got {tuple(given)}")
        columns = self.columns
        return [
            value if (value := given[name]) is None or name not in columns else columns[name](value)
            for name in self.parameters
        ]

    async def rows(self, conn: "Connection", row: type[AnyRow], /, **given: Any) -> list[AnyRow]:
        """Run it and fetch all rows, as what `row` declares."""
        return await conn.fetch(self.text, *self.arguments(given), record_class=row)

    async def many_rows(
        self, conn: "Connection", row: type[AnyRow], /, **given: Any
    ) -> list[AnyRow]:
        """As `rows`, for what may be thousands, within a transaction: AT_ONCE of them are decoded
        at a time, so that other calls are served in between.
        """
        arguments = self.arguments(given)
        cursor = await conn.cursor(self.text, *arguments, record_class=row)
        found: list[AnyRow] = []
        while part := await cursor.fetch(AT_ONCE):
            found += part
        return found

    async def run(self, conn: "Connection", **given: Any) -> None:
        """Run it for its effect."""
        await conn.execute(self.text, *self.arguments(given))


async def parts_of(items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    """The items in order, AT_ONCE at a time; other calls are served between two parts."""
    for start in range(0, len(items), AT_ONCE):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + AT_ONCE]


def sparse(values: list[Any]) -> list[Any] | None:
    """A column of a batch, one NULL for all where it holds nothing else.

    For columns beside a full one: unnest fills the shorter up with NULLs. Most columns of most
    batches are empty, and each of their elements costs as much as a text.
    """
    return None if values[:1] == [None] and values.count(None) == len(values) else values


# asyncpg's classes are generic in its stubs only.
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)


@cache
def statement(name: str) -> Statement:
    """The statement of <name>.sql, which lies in the room that uses it; KeyError for no such."""
    return parse_statement(name, statement_files()[name].read_text("utf-8"))


@cache
def statement_files() -> Mapping[str, Traversable]:
    """Every statement's file, by its name, which no two rooms share."""
    found: dict[str, Traversable] = {}
    for room in files("scheduler_service.store").iterdir():
        for path in room.iterdir() if room.is_dir() else ():
            name = path.name.removesuffix(".sql")
            if name != path.name and found.setdefault(name, path) is not path:
                raise ValueError(f"two statements are called {name}")
    return MappingProxyType(found)


def parse_statement(name: str, source: str) -> Statement:
    """Number the named parameters of a statement: :names become $1, $2 ..."""
    body = _COMMENT.sub("", source).strip().rstrip(";")
    columns = _columns_of(body)
    body = _as_text(body, columns)
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(body)))
    numbers = {parameter: number for number, parameter in enumerate(parameters, start=1)}
    numbered = _PARAMETER.sub(lambda match: f"${numbers[match[1]]}", body)
    return Statement(name, numbered, parameters, MappingProxyType(columns))


def _numbers(values: Sequence[int | bool | None]) -> str:
    """Numbers and truth values. TypeError for anything else."""
    try:
        return ",".join(map(int.__repr__, values))
    except TypeError:
        return ",".join("NULL" if v is None else int.__repr__(v) for v in values)


def _texts(values: Sequence[str | None]) -> str:
    """Texts. TypeError for anything else."""
    if None in values:
        return ",".join("NULL" if v is None else f'"{_escaped(v)}"' for v in values)
    between = '","'.join(values)  # type: ignore[arg-type]
    if "\\" in between or between.count('"') != 2 * (len(values) - 1):
        between = '","'.join(map(_escaped, values))  # type: ignore[arg-type]
    return f'"{between}"' if values else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _uuids(values: Sequence[object]) -> str:
    return ",".join("NULL" if value is None else str(value) for value in values)


# Types of which a value's text says all; other columns are left to the driver.
_CONTENTS: Mapping[str, Callable[[Sequence[Any]], str]] = MappingProxyType(
    {
        "bigint": _numbers,
        "integer": _numbers,
        "smallint": _numbers,
        "boolean": _numbers,
        "text": _texts,
        "uuid": _uuids,
    }
)


def _columns_of(source: str) -> Mapping[str, Literal]:
    """How to write those parameters of a statement that are columns of an unnest and nothing else.

    Elsewhere an array may be read again for every row, so the driver's form is the cheaper one.
    """
    unnested = " ".join(_UNNESTED.findall(source))
    return {
        name: _literal(_CONTENTS[element])
        for name, element in _COLUMN.findall(unnested)
        if element in _CONTENTS and _times(name, source) == _times(name, unnested)
    }


def _times(name: str, source: str) -> int:
    return len(re.findall(rf":{name}\b", source))


def _as_text(source: str, columns: Mapping[str, Literal]) -> str:
    """The statement with these parameters taken as texts."""
    return _COLUMN.sub(
        lambda found: (
            f"CAST(CAST(:{found[1]} AS text) AS {found[2]}[])" if found[1] in columns else found[0]
        ),
        source,
    )


def _literal(contents: Callable[[Sequence[Any]], str]) -> Literal:
    return lambda values: f"{{{contents(values)}}}"
