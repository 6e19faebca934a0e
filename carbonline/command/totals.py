"""`carbonline totals`: what the units emitted in a year."""

from datetime import UTC, datetime
from decimal import Decimal

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import module_name
from carbonline.command.options import MODULE, YEAR, json_option
from carbonline.command.printing import kilograms, print_json, print_table, tonnes
from carbonline.v1 import ledger_pb2

COLUMNS = ("unit", "name", "module", "entries", "kg CO2eq", "t CO2eq")
NUMBERS = ("entries", "kg CO2eq", "t CO2eq")


@click.command(short_help="Show a year's totals by unit and module.")
@click.option("--year", type=YEAR, help="The accounting year; the current one when left out.")
@click.option("--module", type=MODULE, default=None, help="Only this module.")
@click.option("--unit", default="", help="Only this unit.")
@json_option
@connection_options
def totals(target: Target, year: int | None, module: int | None, unit: str, as_json: bool) -> None:
    """Show a year's totals by unit and module, in kilograms and tonnes of CO2-equivalent."""
    wanted = year or datetime.now(UTC).year
    answer = run_to_end(_totals(target, wanted, module or 0, unit))
    if as_json:
        print_json(answer)
    elif not answer.module_totals:
        click.echo(f"There are no totals of {wanted}.")
    else:
        print_totals(answer)


async def _totals(
    target: Target, year: int, module: int, unit: str
) -> ledger_pb2.GetTotalsResponse:
    async with target.client() as client:
        return await client.get_totals(year, module=module, unit=unit)


def print_totals(answer: ledger_pb2.GetTotalsResponse) -> None:
    """A row per unit and module, and the institution's sum."""
    rows = [
        (
            one.unit,
            one.unit_name,
            module_name(one.module),
            f"{one.entry_count:,}",
            kilograms(Decimal(one.total_kg_exact)),
            tonnes(Decimal(one.total_kg_exact)),
        )
        for one in answer.module_totals
    ]
    if answer.HasField("institution"):
        whole = answer.institution
        kg = Decimal(whole.total_kg_exact)
        rows.append(("all", "", "", f"{whole.entry_count:,}", kilograms(kg), tonnes(kg)))
    print_table(
        COLUMNS,
        rows,
        numbers=NUMBERS,
        gives_way="name",
        last_row_is_sum=answer.HasField("institution"),
    )
