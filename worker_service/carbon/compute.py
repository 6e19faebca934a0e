"""Computes emissions: lookups on distinct keys, one join with factors, one expression."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import (
    OF_FACTOR,
    OVERRIDE_KEY,
    DataEntryType,
    EmissionRow,
    References,
    RowWarning,
)
from worker_service.carbon.emission_tree import SCOPES
from worker_service.carbon.outcomes import EntryOutcome, fail

_ENTRY = ("entry_set", "row_number", "unit")
_DOUBT = ("doubted_column", "doubt")
_DOUBTFUL = {
    "entry_set": pl.Int64,
    "row_number": pl.Int32,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
}


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """The result of `compute`.

    emissions: entry_set i64, row_number i32, unit, emission_type, scope i16, kg f64,
    additional_value f64, factor_id i64, factor_version i32, overridden bool.
    `scope` is the GHG scope, `kg` is in kg CO2eq.
    outcomes: entry_set, row_number, unit, outcome, detail; one row per entry.
    doubtful: entry_set, row_number, column, value, reason; of entries with any outcome.
    """

    emissions: pl.DataFrame
    outcomes: pl.DataFrame
    doubtful: pl.DataFrame


def compute(
    declaration: DataEntryType,
    entries: pl.DataFrame,
    factors: pl.DataFrame,
    references: References,
) -> Computed:
    """Computes the emissions of entries by the declaration's formula.

    entries: entry_set i64, row_number i32, unit, the declared columns as parsed, and
    `__kg_co2eq_override__` f64, which wins over the formula where it is not null.
    factors: factor_id i64, version i32, kind, subkind, stale bool, stale_token i64 (when it became
    stale), value and classification columns.
    references: the frames that `declaration.references` names. Raises KeyError if one is missing.
    The order of rows in any of them does not matter.
    """
    override = pl.col(OVERRIDE_KEY)
    for lookup in declaration.factor_lookups:
        factors = lookup.of_factors(factors, references)
    if entries[OVERRIDE_KEY].null_count() == entries.height:
        return _by_formula(declaration, entries, factors, references)
    overridden = _overridden(declaration, entries.filter(override.is_not_null()), references)
    by_formula = _by_formula(declaration, entries.filter(override.is_null()), factors, references)
    return Computed(
        emissions=pl.concat([by_formula.emissions, overridden.emissions]),
        outcomes=pl.concat([by_formula.outcomes, overridden.outcomes]),
        doubtful=pl.concat([by_formula.doubtful, overridden.doubtful]),
    )


def _overridden(
    declaration: DataEntryType, entries: pl.DataFrame, references: References
) -> Computed:
    emissions = entries.select(
        *_ENTRY,
        declaration.override_type.alias("emission_type"),
        kg=pl.col(OVERRIDE_KEY).cast(pl.Float64),
        additional_value=pl.lit(None, pl.Float64),
        factor_id=pl.lit(None, pl.Int64),
        factor_version=pl.lit(None, pl.Int32),
        overridden=pl.lit(value=True),
    )
    outcomes = entries.select(
        *_ENTRY,
        outcome=pl.lit(EntryOutcome.OVERRIDDEN.value),
        detail=pl.lit(None, pl.String),
    )
    return Computed(_scoped(emissions), outcomes, _doubts_alone(declaration, entries, references))


def _doubts_alone(
    declaration: DataEntryType, entries: pl.DataFrame, references: References
) -> pl.DataFrame:
    """What lookups doubt of entries that no formula needs: a value may have been cut in two."""
    if entries.is_empty() or not declaration.lookups:
        return pl.DataFrame(schema=_DOUBTFUL)
    return _doubtful(*_looked_up(declaration, entries, references))


def _by_formula(
    declaration: DataEntryType,
    entries: pl.DataFrame,
    factors: pl.DataFrame,
    references: References,
) -> Computed:
    entries, keys = _looked_up(declaration, entries, references)
    doubtful = _doubtful(entries, keys)
    matched = declaration.matching.match(keys.drop(_DOUBT), factors)
    outcomes = entries.join(
        matched.keys.select("key_id", "outcome", "detail"),
        on="key_id",
        how="left",
        maintain_order="left",
    ).select(*_ENTRY, pl.col("outcome").fill_null(EntryOutcome.COMPUTED.value), "detail")
    found = matched.factors.drop(declaration.keys, "outcome", "detail")
    joined = entries.join(found, on="key_id", how="inner", maintain_order="left", suffix=OF_FACTOR)
    doubtful = pl.concat(
        [doubtful, *(_warned_beside_factors(one, joined) for one in declaration.factor_warnings)]
    )
    emissions = pl.concat(_row_of_each(row, joined) for row in declaration.formula.rows)
    if emissions.height > entries.height:
        emissions = emissions.sort(*_ENTRY[:2], "emission_type", "factor_id")
    return _finite(Computed(_scoped(emissions), outcomes, doubtful))


def _row_of_each(row: EmissionRow, joined: pl.DataFrame) -> pl.DataFrame:
    """Emissions of entries beside their factors, before they have a scope."""
    having = joined if row.when is None else joined.filter(row.when)
    return having.select(
        *_ENTRY,
        row.emission_type.alias("emission_type"),
        kg=row.kg,
        additional_value=(
            pl.lit(None, pl.Float64) if row.additional_value is None else row.additional_value
        ),
        factor_id=pl.col("factor_id").cast(pl.Int64),
        factor_version=pl.col("factor_version").cast(pl.Int32),
        overridden=pl.lit(value=False),
    )


def _looked_up(
    declaration: DataEntryType, entries: pl.DataFrame, references: References
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Entries with a `key_id`, and the distinct keys with what the lookups found."""
    entries, keys = _distinct_keys(declaration, entries)
    for lookup in declaration.lookups:
        keys = lookup.resolve(keys, references)
    return entries, keys


def _doubtful(entries: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Entries of the keys that a lookup doubts."""
    found = [pl.DataFrame(schema=_DOUBTFUL)]
    if keys["doubt"].null_count() == keys.height:
        return found[0]
    doubted = keys.filter(pl.col("doubt").is_not_null()).select("key_id", "doubted_column", "doubt")
    for [column], of_column in doubted.group_by("doubted_column", maintain_order=True):
        rows = entries.join(of_column, on="key_id", maintain_order="left")
        found.append(_doubts(rows, str(column), pl.col("doubt")))
    return pl.concat(found)


def _warned_beside_factors(warning: RowWarning, joined: pl.DataFrame) -> pl.DataFrame:
    """Entries that look wrong beside their factor."""
    rows = joined.filter(warning.when.fill_null(value=False))
    return _doubts(rows, warning.column, warning.reason)


def _doubts(rows: pl.DataFrame, column: str, reason: pl.Expr) -> pl.DataFrame:
    return rows.select(
        "entry_set",
        pl.col("row_number").cast(pl.Int32),
        pl.lit(column).alias("column"),
        pl.col(column).cast(pl.String).str.strip_suffix(".0").alias("value"),
        reason.alias("reason"),
    )


def _distinct_keys(
    declaration: DataEntryType, entries: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Entries with a `key_id`, and the distinct keys, so that lookups run once for each.

    A key without a needed part is missing_value: no lookup or factor is guessed for it.
    """
    names, needed = declaration.keys, declaration.needed_keys
    nothing_yet = {name: pl.lit(None, pl.String) for name in ("outcome", "detail", *_DOUBT)}
    if not names:
        keys = pl.DataFrame({"key_id": [0]}, schema={"key_id": pl.UInt32})
        return entries.with_columns(key_id=pl.lit(0, pl.UInt32)), keys.with_columns(**nothing_yet)
    keys = entries.select(names).unique().with_row_index("key_id").with_columns(**nothing_yet)
    entries = entries.join(
        keys.select("key_id", *names), on=names, nulls_equal=True, maintain_order="left"
    )
    if not needed:
        return entries, keys
    empty = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in needed]
    return entries, fail(
        keys,
        pl.any_horizontal(pl.col(name).is_null() for name in needed),
        EntryOutcome.MISSING_VALUE,
        pl.format("no {}", pl.concat_str(empty, separator=", ", ignore_nulls=True)),
    )


def _scoped(emissions: pl.DataFrame) -> pl.DataFrame:
    scope = pl.col("emission_type").replace_strict(
        list(SCOPES), list(SCOPES.values()), return_dtype=pl.Int16
    )
    at = emissions.get_column_index("emission_type") + 1
    return emissions.insert_column(at, emissions.select(scope.alias("scope")).to_series())


def _finite(computed: Computed) -> Computed:
    """An entry whose formula gives no finite number is missing_value, never a stored NaN."""
    kg = computed.emissions["kg"]
    if kg.null_count() == 0 and kg.is_finite().all():
        return computed
    good = pl.col("kg").is_not_null() & pl.col("kg").is_finite()
    bad = computed.emissions.filter(~good.fill_null(value=False)).select(*_ENTRY).unique()
    if bad.is_empty():
        return computed
    no_number = computed.outcomes.join(bad, on=_ENTRY, how="semi").with_columns(
        outcome=pl.lit(EntryOutcome.MISSING_VALUE.value),
        detail=pl.lit("the formula gives no finite number"),
    )
    return Computed(
        emissions=computed.emissions.join(bad, on=_ENTRY, how="anti"),
        outcomes=pl.concat([computed.outcomes.join(bad, on=_ENTRY, how="anti"), no_number]),
        doubtful=computed.doubtful,
    )
