"""Totals as a Polars frame, and sentences on what is missing from them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from carbonline.client.errors import ExtraMissing
from carbonline.client.reports import word
from carbonline.extras import lacks
from carbonline.v1 import ledger_pb2, types_pb2

if TYPE_CHECKING:
    import polars as pl


def totals_frame(answer: ledger_pb2.GetTotalsResponse) -> "pl.DataFrame":
    """A row per unit and module, in this order. Raises ExtraMissing if Polars is not installed.

    Columns: unit, unit_name, module (text); entries, entries_without_kg (counts); ghg_scope_1_kg,
    ghg_scope_2_kg, ghg_scope_3_kg, total_kg (kilograms of CO2-equivalent, doubles);
    computed_at (UTC).
    """
    if lacking := lacks("frames", "A frame of totals"):
        raise ExtraMissing(lacking)
    import polars as pl  # noqa: PLC0415  an extra

    schema: dict[str, type[pl.DataType] | pl.DataType] = {
        "unit": pl.String,
        "unit_name": pl.String,
        "module": pl.String,
        "entries": pl.Int64,
        "entries_without_kg": pl.Int64,
        "ghg_scope_1_kg": pl.Float64,
        "ghg_scope_2_kg": pl.Float64,
        "ghg_scope_3_kg": pl.Float64,
        "total_kg": pl.Float64,
        "computed_at": pl.Datetime("us"),
    }
    rows = [
        (
            one.unit,
            one.unit_name,
            module_word(one.module),
            one.entry_count,
            one.entries_without_kg,
            one.ghg_scope_1_kg,
            one.ghg_scope_2_kg,
            one.ghg_scope_3_kg,
            one.total_kg,
            one.computed_at.ToDatetime(),
        )
        for one in answer.module_totals
    ]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(pl.col("computed_at").dt.replace_time_zone("UTC"))


def none_sentence(
    answer: ledger_pb2.GetTotalsResponse, year: int, unit: str = "", module: int = 0
) -> str:
    """What to say where an answer has no totals: of a year, or of a known unit or a module."""
    of = f"{module_word(module)} in {year}" if module else f"{year}"
    whose = f"Unit {unit} has no totals for {of}" if unit else f"There are no totals for {of}"
    if answer.years:
        has = "it has totals" if unit else "there are totals"
        return f"{whose}; {has} for {', '.join(map(str, answer.years))}."
    return f"{whose}, nor for any other year." if unit or module else f"{whose}."


def missing_from(
    answer: ledger_pb2.GetTotalsResponse, year: int, unit: str = "", module: int = 0
) -> Sequence[str]:
    """A sentence if there are no totals, for each stale module, and for entries without kg."""
    sentences = [] if answer.module_totals else [none_sentence(answer, year, unit, module)]
    sentences += [
        f"{module_word(one.module)} of {year} is STALE: {one.reason}."
        for one in answer.freshness
        if not one.fresh
    ]
    without = sum(one.entries_without_kg for one in answer.module_totals)
    if without:
        entries = (
            "1 entry has no kilograms and counts"
            if without == 1
            else f"{without:,} entries have no kilograms and count"
        )
        sentences.append(f"{entries} as nothing in the totals of {year}.")
    return sentences


def module_word(number: int) -> str:
    """The name of a module, by its enum number."""
    return word(types_pb2.Module.items(), number, "MODULE_")
