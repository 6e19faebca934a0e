"""What a module declares: columns, keys of factors, lookups, formulas, emission types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import polars as pl

OVERRIDE_KEY = "__kg_co2eq_override__"
# The key of an entry under which the text of a code stands, if it is not its key in capitals.
WRITTEN = "__{}_as_written__"
# Keys of codes that are shown in capitals, as people write them.
SHOWN_AS_CODE = "^[a-z]{3}$"
UNIT_COLUMN = "unit_institutional_id"
# The column `unit` of a file in frames, where `unit` is the institution's unit of the row.
QUANTITY_UNIT = "quantity_unit"
# In formulas: ends the name of a factor's column that the entry has too.
OF_FACTOR = "_of_factor"

# Kind of reference data -> its frame.
References = Mapping[str, pl.DataFrame]
Value = str | int | float


def field_of(key: str) -> str:
    """The name of an entry's key in frames of entries."""
    return QUANTITY_UNIT if key == "unit" else key


class ColumnKind(StrEnum):
    """The kind of value that a column holds."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    CHOICE = "choice"


class Normalisation(StrEnum):
    """How the text of a column is normalised before it is stored."""

    # Trimmed and case-folded: something is matched by it.
    KEY = "key"
    # Trimmed only: shown to people.
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Plausible:
    """The largest plausible number of a column. A row with a larger one counts, with a warning.

    `noun` is what is counted ("trips"); `because` says why nobody has more, or where the bound is
    from. `per`: the column by which the number is divided before it is compared. Rows with a key of
    `mosts` in the column `by` have the bound that stands there; if the key is a unit, so have those
    in other units of the same measure, converted. `noun_of` has their noun, with {} for the key.
    `is_per_unit`: the number is what one unit has, so that a larger unit has more.
    """

    most: float
    noun: str
    because: str
    by: str = ""
    mosts: tuple[tuple[str, float], ...] = ()
    noun_of: str = "{}"
    is_per_unit: bool = False
    per: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file.

    `minimum` and `maximum` are inclusive, `more_than` is not. `choices` are normalised values.
    `aliases` are other normalised values that are read as a choice. `spellings` are those that are
    rejected, each with the choice that the reason names. `default` is the value
    of an empty field. `excused_by_override`: a row with kg_co2eq may hold any text here, because
    the formula is not used. A number beyond one of `plausible` is accepted with a warning. One
    below `plausible_minimum` may have a point between thousands.
    `is_code`: people write it in capitals, such as GVA.
    `decimal` and `date_layout` are those of a FileMapping, "" without one.
    """

    name: str
    kind: ColumnKind = ColumnKind.TEXT
    required: bool = True
    minimum: float | None = None
    more_than: float | None = None
    maximum: float | None = None
    plausible: tuple[Plausible, ...] = ()
    plausible_minimum: float | None = None
    default: Value | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    spellings: tuple[tuple[str, str], ...] = ()
    normalisation: Normalisation = Normalisation.KEY
    excused_by_override: bool = False
    is_code: bool = False
    example: str = ""
    decimal: str = ""
    date_layout: str = ""

    @property
    def plausible_maximum(self) -> float | None:
        """The bound of a number by itself, in any unit. None if it has none."""
        return next((of.most for of in self.plausible if not of.per), None)

    @property
    def field(self) -> str:
        """Its name in frames of entries."""
        return field_of(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class RowWarning:
    """A warning about accepted rows for which `when` is true.

    `when` and `reason` are expressions over the typed columns of all accepted rows; null counts as
    false. The warning names `column` and shows its value. A reason continues "row 3,
    number_of_trips:" and has no full stop.
    """

    column: str
    when: pl.Expr
    reason: pl.Expr


@dataclass(frozen=True, slots=True, eq=False)
class RowCheck:
    """Rejects rows for which `when` is true, because of more than one column or of the catalogue.

    `when` and `reason` are expressions over the typed columns of rows whose fields are all good;
    null counts as false. The row error names `column` and shows its value; a reason continues
    "row 3, unit:" and has no full stop.
    """

    column: str
    when: pl.Expr
    reason: pl.Expr


@dataclass(frozen=True, slots=True)
class Band:
    """The columns with the bounds of a factor's band: lower <= number < upper.

    An empty upper bound means no bound. No entry has more than `largest` (in `unit`), so bands that
    reach it leave no gap. `added` names the factor's column with what is added to numbers that are
    looked up, `looked_up` in words, before the band is compared; it is no less than 0.
    """

    lower: str
    upper: str
    unit: str = ""
    largest: float = float("inf")
    added: str = ""
    looked_up: str = ""


@dataclass(frozen=True, slots=True)
class Routing:
    """The column and value by which rows of a shared file belong to a data-entry type."""

    column: str
    value: str


def routing_column(routing: Routing) -> Column:
    """The column in a file of one type: there another type is a mistake."""
    kind = ColumnKind.CHOICE
    return Column(routing.column, kind, required=False, choices=(routing.value,))


@dataclass(frozen=True, slots=True, eq=False)
class FactorColumns:
    """The columns of a factor file.

    `classification` identifies a factor. `kind` and `subkind` name those of its columns by which
    entries find it. `emission_type` is an expression for the factor's path in the emission tree.
    `checks` reject rows. `warnings` are evaluated over the whole file, so they may compare rows.
    """

    classification: tuple[Column, ...]
    values: tuple[Column, ...]
    emission_type: pl.Expr
    kind: str | None = None
    subkind: str | None = None
    band: Band | None = None
    source: str = ""
    checks: tuple[RowCheck, ...] = ()
    warnings: tuple[RowWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitSums:
    """Kilograms of a factor that are those of a unit's own totals where its file leaves them out.

    `unit` is the column of the factor with the key of the unit. `columns` are those of the
    kilograms, each with the nodes of the emission tree that are added; none stand for all. Totals
    of the type's own module are never among them.
    """

    unit: str
    columns: tuple[tuple[str, tuple[str, ...]], ...]


class Lookup(Protocol):
    """Looks up what an entry needs from reference data, such as a distance."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of entries that it reads."""
        ...

    def resolve(self, keys: pl.DataFrame, references: References) -> pl.DataFrame:
        """Returns `keys`, in the same order, with added columns.

        Where it finds nothing and `outcome` is null, it fills `outcome` and `detail`. If a value of
        the entry looks wrong, it fills `doubt`.
        """
        ...


class FactorLookup(Protocol):
    """Looks up what a factor needs from reference data, such as the rate of its currency."""

    def of_factors(self, factors: pl.DataFrame, references: References) -> pl.DataFrame:
        """Returns `factors`, in the same order, with added columns."""
        ...


class Matching(Protocol):
    """Finds the factors of entries."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of entries that it reads."""
        ...

    def match(self, keys: pl.DataFrame, factors: pl.DataFrame) -> "Matched":
        """Matches factors with the rows of `keys`, which has key_id, outcome and detail too."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """The result of a match.

    `keys` have their final outcome and detail. `factors` has one row per key and matching factor.
    """

    keys: pl.DataFrame
    factors: pl.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class EmissionRow:
    """One row of emissions per entry and matching factor, as expressions over their columns.

    With `when`, only entries and factors for which it is true have the row.
    """

    emission_type: pl.Expr
    kg: pl.Expr
    additional_value: pl.Expr | None = None
    when: pl.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A formula for the kg CO2eq of an entry.

    `rows` has it as expressions, `written` as people write it, `source` says where it is from. A
    new `version` makes recalculations compute all entries again.
    """

    version: str
    written: str
    source: str
    rows: tuple[EmissionRow, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DataEntryType:
    """A supported data-entry type.

    `override_type` is the path in the emission tree of entries with their own kg_co2eq. `checks`
    and `warnings` are evaluated per batch of a file. `unique` columns identify a row within a unit:
    another such row of a file is rejected. `references` are kinds of reference data that it reads:
    `lookups` for entries, `factor_lookups` for factors. `factor_warnings` are evaluated for entries
    beside their factor, when they are computed. `unit_sums`: what factors take from totals.
    """

    id: int
    name: str
    columns: tuple[Column, ...]
    factors: FactorColumns
    matching: Matching
    formula: Formula
    override_type: pl.Expr
    lookups: tuple[Lookup, ...] = ()
    factor_lookups: tuple[FactorLookup, ...] = ()
    references: tuple[str, ...] = ()
    routing: Routing | None = None
    title: str = ""
    unique: tuple[str, ...] = ()
    checks: tuple[RowCheck, ...] = ()
    warnings: tuple[RowWarning, ...] = ()
    factor_warnings: tuple[RowWarning, ...] = ()
    unit_sums: UnitSums | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of entries that lookups and matching read, each once, in order."""
        names = [key for lookup in self.lookups for key in lookup.keys]
        return tuple(dict.fromkeys([*names, *self.matching.keys]))

    @property
    def needed_keys(self) -> tuple[str, ...]:
        """Those of `keys` that an entry must have to be computed."""
        required = {column.field for column in self.columns if column.required}
        return tuple(key for key in self.keys if key in required)


@dataclass(frozen=True, slots=True)
class UndeclaredType:
    """A data-entry type that is known by number and name, but not yet supported."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A module of the carbon account and its data-entry types, in order of number."""

    id: int
    name: str
    types: tuple[DataEntryType | UndeclaredType, ...] = field(default=())


# Columns that any activity file may have.
COMMON_COLUMNS = (
    Column(
        "kg_co2eq",
        ColumnKind.NUMBER,
        required=False,
        minimum=0,
        plausible=(
            Plausible(10_000_000, "kg", "most universities emit less in a year, with all they do"),
        ),
    ),
    Column("note", required=False, normalisation=Normalisation.SHOWN),
)
