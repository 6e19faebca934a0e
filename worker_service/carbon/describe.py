"""Descriptions of declarations for people: templates, rules of columns, formulas."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    Module,
    Normalisation,
    Plausible,
    UndeclaredType,
)
from worker_service.carbon.parse.entries import entry_columns
from worker_service.carbon.parse.numbers import bounds_rule
from worker_service.carbon.parse.plausible_numbers import label_of, number_shown
from worker_service.carbon.routes import routes_of


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """A column of a file. `rule` says in words what it may contain, and `doubtful` beyond which
    number a row counts with a warning, and why.
    """

    name: str
    kind: str
    required: bool
    rule: str
    default_value: str
    choices: tuple[str, ...]
    identifies: bool = False
    doubtful: str = ""


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """A data-entry type. All fields after `supported` are empty if that is False."""

    id: int
    name: str
    supported: bool
    columns: tuple[ColumnDescription, ...] = ()
    factor_columns: tuple[ColumnDescription, ...] = ()
    formula: str = ""
    formula_version: str = ""
    formula_source: str = ""
    template_csv: str = ""
    factor_template_csv: str = ""


@dataclass(frozen=True, slots=True)
class ModuleDescription:
    """A module and its types, in order of number. `routing_column` as in `Routes`, or ""."""

    id: int
    name: str
    types: tuple[TypeDescription, ...]
    routing_column: str = ""


def describe_catalogue() -> tuple[ModuleDescription, ...]:
    """Describes every module, in order of number."""
    return tuple(
        ModuleDescription(module.id, module.name, _types(module), _routing_column(module.id))
        for module in sorted(MODULES, key=lambda module: module.id)
    )


def _routing_column(module: int) -> str:
    routes = routes_of(module)
    return routes.column if routes else ""


def describe_type(known: DataEntryType | UndeclaredType) -> TypeDescription:
    """Describes the files of a type, and how it is computed."""
    if isinstance(known, UndeclaredType):
        return TypeDescription(known.id, known.name, supported=False)
    return TypeDescription(
        id=known.id,
        name=known.name,
        supported=True,
        columns=describe_columns(entry_columns(known, per_year=True)),
        factor_columns=describe_columns(
            (*known.factors.classification, *known.factors.values),
            identity=known.factors.classification,
        ),
        formula=known.formula.written,
        formula_version=known.formula.version,
        formula_source=known.formula.source,
        template_csv=template(known),
        factor_template_csv=factor_template(known),
    )


def template(declaration: DataEntryType, *, per_year: bool = True) -> str:
    """A CSV to start from: the header, with required columns first, and an example row."""
    return _template(_needed_first(entry_columns(declaration, per_year=per_year)))


def factor_template(declaration: DataEntryType) -> str:
    """A CSV to start from, for a factor file."""
    return _template((*declaration.factors.classification, *declaration.factors.values))


def _types(module: Module) -> tuple[TypeDescription, ...]:
    return tuple(describe_type(known) for known in sorted(module.types, key=lambda t: t.id))


def describe_columns(
    columns: Sequence[Column], identity: Sequence[Column] = ()
) -> tuple[ColumnDescription, ...]:
    """Describes columns, the required ones first; those of `identity` identify a row."""
    return tuple(
        ColumnDescription(
            name=column.name,
            kind=column.kind.value,
            required=column.required,
            rule=rule(column),
            default_value="" if column.default is None else str(column.default),
            choices=column.choices,
            identifies=column in identity,
            doubtful="; ".join(map(_doubtful, column.plausible)),
        )
        for column in _needed_first(columns)
    )


def _needed_first(columns: Sequence[Column]) -> list[Column]:
    return sorted(columns, key=lambda column: not column.required)


def rule(column: Column) -> str:
    """What a column may contain, in words: for templates, ListModules and docs/carbon.md."""
    excused = " (any value if kg_co2eq is given)" if column.excused_by_override else ""
    match column.kind:
        case ColumnKind.TEXT:
            compared = column.normalisation is Normalisation.KEY
            sentence = "text, case-insensitive" if compared else "text"
        case ColumnKind.NUMBER:
            sentence = _and("a number with a decimal point", _bounds(column))
        case ColumnKind.INTEGER:
            sentence = _and("a whole number", _bounds(column))
        case ColumnKind.DATE:
            sentence = "a date such as 2024-03-31, in the year of the file"
        case ColumnKind.CHOICE:
            sentence = f"one of {', '.join(column.choices)}"
        case _:
            assert_never(column.kind)
    return sentence + excused


def _doubtful(of: Plausible) -> str:
    """Such as "more than 1,000 trips: who travels each working day ..."."""
    bounds = [f"{number_shown(of.most)} {of.noun}"]
    bounds += [f"{number_shown(most)} {of.noun_of.format(label_of(key))}" for key, most in of.mosts]
    per = f" per unit of {of.per}" if of.per else ""
    return f"more than {', '.join(dict.fromkeys(bounds))}{per}: {of.because}"


def _bounds(column: Column) -> str:
    return bounds_rule(column).removeprefix("must be ")


def _and(kind: str, bounds: str) -> str:
    return f"{kind}, {bounds}" if bounds else kind


def _template(columns: Sequence[Column]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in columns)
    writer.writerow(column.example for column in columns)
    return text.getvalue()
