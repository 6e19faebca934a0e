"""`carbonline recalculate`: recomputes the emissions and totals of a type and year."""

import click

from carbonline.client.contract_client import ContractClient
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, print_the_end
from carbonline.command.kilograms import Kilograms, print_kilograms
from carbonline.command.names import type_name
from carbonline.command.options import YEAR, no_watch_option, priority_option, type_option


@click.command(
    short_help="Recompute a type's emissions and totals.",
    epilog=examples("carbonline recalculate --year 2024 --type plane"),
)
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@type_option
@priority_option
@no_watch_option
@connection_options
def recalculate(
    *, target: Target, year: int, data_entry_type: int, priority: int | None, no_watch: bool
) -> None:
    """Recompute the emissions and totals of a type and year, and watch the pipeline to its end.

    Emissions with unchanged entries, factors, places and formula keep their rows. You need this
    after an upgrade with a new formula; everything else is recomputed automatically.
    """
    raise SystemExit(
        run_to_end(_recalculate(target, year, data_entry_type, priority, watch=not no_watch))
    )


async def _recalculate(
    target: Target, year: int, data_entry_type: int, priority: int | None, *, watch: bool
) -> ExitCode:
    async with target.client() as client:
        module = await module_of(client, data_entry_type)
        scope = client.scope(module=module, data_entry_type=data_entry_type, year=year)
        submitted = await client.submit("emission_recalc", scope, priority=priority)
        return await follow_and_print_the_end(client, submitted.pipeline_id, target, watch=watch)


async def follow_and_print_the_end(
    client: ContractClient,
    pipeline_id: int,
    target: Target,
    *,
    watch: bool,
    before: Kilograms | None = None,
) -> ExitCode:
    """Watch a submitted pipeline and print its result. Without `watch`, print only its id.

    With the totals `before` it, also print which of them it has changed.
    """
    if not watch:
        click.echo(str(pipeline_id))
        return ExitCode.SUCCESS
    view = await follow(client, pipeline_id, target)
    code = print_the_end(view, target)
    if before is not None and code is ExitCode.SUCCESS:
        await print_kilograms(client, before, view)
    return code


async def module_of(client: ContractClient, data_entry_type: int) -> int:
    """The module of a data-entry type in the server's catalogue.

    Raises click.UsageError if the catalogue does not have the type.
    """
    for module in (await client.list_modules()).modules:
        if any(one.data_entry_type == data_entry_type for one in module.data_entry_types):
            return module.module
    name = type_name(data_entry_type)
    raise click.UsageError(f"The server's catalogue does not have the type {name}.")
