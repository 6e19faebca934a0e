"""Prints totals in kilograms before and after a change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.view import PipelineView
from carbonline.command.names import module_name
from carbonline.command.options import YEAR_MAX, YEAR_MIN
from carbonline.command.printing import kilograms
from carbonline.command.safe_text import one_line
from carbonline.pluralize import pluralize


@dataclass(frozen=True, slots=True)
class Kilograms:
    """The institution's totals in kg CO2-equivalent by year, of one module or (0) of all.

    Those of one unit if `unit` is set. Years without totals are left out.
    """

    module: int = 0
    by_year: Mapping[int, Decimal] = field(default_factory=dict)
    unit: str = ""


async def kilograms_of(client: ContractClient, module: int, year: int, unit: str = "") -> Kilograms:
    """The current total of a module and year.

    A caller who may not see it gets that of the `unit`, and without a unit nothing.
    """
    try:
        kg = await _total(client, module, year)
    except ServerError as refused:
        if refused.code != "PERMISSION_DENIED":
            raise
        if not unit:
            return Kilograms(module)
        kg = await _total(client, module, year, unit)
        return Kilograms(module, {} if kg is None else {year: kg}, unit)
    return Kilograms(module, {} if kg is None else {year: kg})


async def kilograms_of_all_years(client: ContractClient) -> Kilograms:
    """The current totals of all years that have any."""
    found: dict[int, Decimal] = {}
    for year in await _years(client):
        kg = await _total(client, 0, year)
        if kg is not None:
            found[year] = kg
    return Kilograms(0, found)


async def print_kilograms(client: ContractClient, before: Kilograms, view: PipelineView) -> None:
    """Print the totals before and after a pipeline has run.

    If there are several years, only those that it computed and that changed: others may have
    changed meanwhile, and not because of it.
    """
    computed = {job.scope.year for job in view.jobs.values()}
    changed, unchanged = [], 0
    for year, kg_before in before.by_year.items():
        now = await _total(client, before.module, year, before.unit) or Decimal(0)
        if len(before.by_year) == 1 or (now != kg_before and year in computed):
            changed.append(_sentence(before, year, now))
        unchanged += now == kg_before
    for sentence in changed:
        click.echo(sentence)
    if unchanged and not changed:
        click.echo(f"The totals of {pluralize(unchanged, 'year')} are unchanged.")


def _sentence(of: Kilograms, year: int, now: Decimal) -> str:
    what = f"{module_name(of.module)} {year}" if of.module else str(year)
    if of.unit:
        what += f" of unit {one_line(of.unit)}"
    before = of.by_year[year]
    change = now - before
    much = " More than half is gone." if 2 * now < before else ""
    if now > 2 * before > 0:
        much = " That is more than twice as much."
    return (
        f"{what}: {kilograms(before)} kg before, {kilograms(now)} kg now"
        f" ({'+' if change >= 0 else ''}{kilograms(change)}).{much}"
    )


async def _total(client: ContractClient, module: int, year: int, unit: str = "") -> Decimal | None:
    answer = await client.get_totals(year, module=module, unit=unit)
    if unit and answer.unit_totals:
        return Decimal(answer.unit_totals[0].total_kg_exact)
    if not answer.HasField("institution"):
        return None
    return Decimal(answer.institution.total_kg_exact)


async def _years(client: ContractClient) -> list[int]:
    """The years that have totals."""
    found: list[int] = []
    for year in range(YEAR_MIN, YEAR_MAX + 1):
        answer = await client.get_totals(year)
        if not answer.HasField("institution"):
            return list(answer.years)
        found.append(year)
    return found
