"""`carbonline totals`: what the units emitted in a year."""

from datetime import UTC, datetime
from decimal import Decimal

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import module_name
from carbonline.command.options import MODULE, YEAR
from carbonline.command.output import PLAIN, Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.command.row_files import in_order
from carbonline.v1 import ledger_pb2

COLUMNS = (
    Column("unit", kind=Kind.WORD),
    Column("unit_name", "name"),
    Column("module", folds=True),
    Column("entries", kind=Kind.NUMBER),
    Column("total_kg", "kg CO2eq", Kind.NUMBER),
    Column("scope1_kg", in_tables=False),
    Column("scope2_kg", in_tables=False),
    Column("scope3_kg", in_tables=False),
    Column("by_emission_type_kg", in_tables=False),
    Column("by_additional_value", in_tables=False),
    Column("outcomes", in_tables=False),
    Column("computed_at", in_tables=False),
)


@click.command(
    short_help="Show a year's totals by unit and module.",
    epilog=examples(
        "carbonline totals --year 2024",
        "carbonline totals --year 2024 --unit 0828",
        "carbonline totals --year 2024 -o totals.xlsx",
    ),
)
@click.option("--year", type=YEAR, help="The accounting year; the current one when left out.")
@click.option("--module", type=MODULE, default=None, help="Only this module.")
@click.option("--unit", default="", help="Only this unit.")
@output_options
@connection_options
def totals(target: Target, output: Output, year: int | None, module: int | None, unit: str) -> None:
    """Show a year's totals by unit and module, in kilograms of CO2-equivalent."""
    wanted = year or datetime.now(UTC).year
    answer = run_to_end(_totals(target, wanted, module or 0, unit))
    show_totals(answer, wanted, output)


async def _totals(
    target: Target, year: int, module: int, unit: str
) -> ledger_pb2.GetTotalsResponse:
    async with target.client() as client:
        return await client.get_totals(year, module=module, unit=unit)


def show_totals(answer: ledger_pb2.GetTotalsResponse, year: int, output: Output = PLAIN) -> None:
    """A row per unit and module, and the institution's sum."""
    show_rows(
        COLUMNS,
        [_row(one) for one in answer.module_totals],
        output,
        total=_sum(answer.institution) if answer.HasField("institution") else None,
        about={"year": year},
        if_none=f"There are no totals of {year}.",
    )


def _row(one: ledger_pb2.ModuleTotals) -> Row:
    return {
        "unit": one.unit,
        "unit_name": one.unit_name,
        "module": module_name(one.module),
        "entries": one.entry_count,
        "total_kg": Decimal(one.total_kg_exact),
        "scope1_kg": one.scope1_kg,
        "scope2_kg": one.scope2_kg,
        "scope3_kg": one.scope3_kg,
        "by_emission_type_kg": in_order(one.by_emission_type),
        "by_additional_value": in_order(one.by_additional_value),
        "outcomes": in_order(one.outcome_counts),
        "computed_at": moment_of(one.computed_at),
    }


def _sum(whole: ledger_pb2.UnitTotals) -> Row:
    return {
        "unit": "all",
        "entries": whole.entry_count,
        "total_kg": Decimal(whole.total_kg_exact),
        "scope1_kg": whole.scope1_kg,
        "scope2_kg": whole.scope2_kg,
        "scope3_kg": whole.scope3_kg,
    }
