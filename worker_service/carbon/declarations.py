"""What a module declares once: columns, factor key, lookups, formula, emission types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import polars as pl

OVERRIDE_KEY = "__kg_co2eq_override__"
UNIT_COLUMN = "unit_institutional_id"
# In formulas: ends the name of a factor's column that the entry has too.
OF_FACTOR = "_of_factor"

# Kind of reference data -> its frame.
References = Mapping[str, pl.DataFrame]
Value = str | int | float


class ColumnKind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    CHOICE = "choice"


class Normalisation(StrEnum):
    """How text is stored."""

    # Trimmed and case-folded: something is matched by it.
    KEY = "key"
    # Trimmed only: shown to people.
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file.

    `minimum` and `maximum` bound numbers inclusively; `choices` are normalised values,
    `spellings` other ones that people write (normalised, too) with the choice they mean;
    `default` stands for an empty field. `excused_by_override`: a row that brings its own
    kg_co2eq may leave it empty or hold any text, since the formula is not asked. A number above
    `plausible_maximum` is accepted with a warning, which counts `noun` ("trips").
    """

    name: str
    kind: ColumnKind = ColumnKind.TEXT
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    plausible_maximum: float | None = None
    noun: str = ""
    default: Value | None = None
    choices: tuple[str, ...] = ()
    spellings: tuple[tuple[str, str], ...] = ()
    normalisation: Normalisation = Normalisation.KEY
    excused_by_override: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class RowWarning:
    """A row that is accepted, and that somebody should look at: where `when` holds.

    `when` and `reason` are expressions over all accepted rows' typed columns, `when` null for
    no; `column` is the one that is named, whose value is shown. A reason goes on from "row 3,
    number_of_trips:" and brings no full stop.
    """

    column: str
    when: pl.Expr
    reason: pl.Expr


@dataclass(frozen=True, slots=True)
class Band:
    """Factors that hold for [lower, upper) of a number; an empty upper has no end.

    No entry has more than `largest` `unit`: bands that reach it leave nothing out.
    """

    lower: str
    upper: str
    unit: str = ""
    largest: float = float("inf")


@dataclass(frozen=True, slots=True)
class Routing:
    """A column of a shared file whose value says that a row is of this data-entry type."""

    column: str
    value: str


@dataclass(frozen=True, slots=True, eq=False)
class FactorColumns:
    """The columns of a factor file.

    `classification` is a factor's identity; `kind` and `subkind` name those of its columns by
    which entries find it. `emission_type` is the path a factor belongs to, over its columns.
    `warnings` see the whole file, so they may compare its rows.
    """

    classification: tuple[Column, ...]
    values: tuple[Column, ...]
    emission_type: pl.Expr
    kind: str | None = None
    subkind: str | None = None
    band: Band | None = None
    source: str = ""
    warnings: tuple[RowWarning, ...] = ()


class Lookup(Protocol):
    """Something an entry needs from reference data: distances, surfaces, rates."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The entry columns it reads."""
        ...

    def resolve(self, keys: pl.DataFrame, references: References) -> pl.DataFrame:
        """`keys` in the same order with columns added.

        Where it finds nothing and `outcome` is still null, it fills `outcome` and `detail`; what
        speaks against a value of the entry, it says by `doubt`.
        """
        ...


class Matching(Protocol):
    """How entries find their factors."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The entry columns it reads."""
        ...

    def match(self, keys: pl.DataFrame, factors: pl.DataFrame) -> "Matched":
        """Factors of each row of `keys` (with `key_id`, `outcome`, `detail`)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """`keys` with their final outcome and detail, and `factors`: one row per key and factor."""

    keys: pl.DataFrame
    factors: pl.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class EmissionRow:
    """One emission row per entry and matching factor; expressions over the joined columns."""

    emission_type: pl.Expr
    kg: pl.Expr
    additional_value: pl.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """Kilograms of CO2-equivalent per entry, as an expression and as people write it."""

    version: str
    written: str
    source: str
    rows: tuple[EmissionRow, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DataEntryType:
    """A declared data-entry type.

    `override_type`: where an overridden entry is booked. `warnings` see a batch of a file.
    """

    id: int
    name: str
    columns: tuple[Column, ...]
    factors: FactorColumns
    matching: Matching
    formula: Formula
    override_type: pl.Expr
    lookups: tuple[Lookup, ...] = ()
    references: tuple[str, ...] = ()
    routing: Routing | None = None
    title: str = ""
    warnings: tuple[RowWarning, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The entry columns that decide distances and factors, each once, in order."""
        names = [key for lookup in self.lookups for key in lookup.keys]
        return tuple(dict.fromkeys([*names, *self.matching.keys]))

    @property
    def needed_keys(self) -> tuple[str, ...]:
        """Those of `keys` without which nothing can be computed."""
        required = {column.name for column in self.columns if column.required}
        return tuple(key for key in self.keys if key in required)


@dataclass(frozen=True, slots=True)
class UndeclaredType:
    """A data-entry type that is known by number and name, and not yet supported."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A module and its data-entry types, by number."""

    id: int
    name: str
    types: tuple[DataEntryType | UndeclaredType, ...] = field(default=())


# Any activity file may have them.
COMMON_COLUMNS = (
    # A row of ten thousand tonnes is more than most universities have in a year.
    Column(
        "kg_co2eq",
        ColumnKind.NUMBER,
        required=False,
        minimum=0,
        plausible_maximum=10_000_000,
        noun="kg",
    ),
    Column("note", required=False, normalisation=Normalisation.SHOWN),
)
