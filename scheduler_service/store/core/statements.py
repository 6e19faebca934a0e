"""Loads the statements of the store's rooms by name and binds their named parameters."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from operator import itemgetter
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import asyncpg

from scheduler_service.store.core.array_literals import Literal, as_text, columns_of

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)


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

    async def run(self, conn: "Connection", **given: Any) -> None:
        """Run it for its effect."""
        await conn.execute(self.text, *self.arguments(given))


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
    columns = columns_of(body)
    body = as_text(body, columns)
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(body)))
    numbers = {parameter: number for number, parameter in enumerate(parameters, start=1)}
    numbered = _PARAMETER.sub(lambda match: f"${numbers[match[1]]}", body)
    return Statement(name, numbered, parameters, MappingProxyType(columns))
