"""`carbonline recalculate`: recomputes the emissions and totals of a type or module and year."""

import click

from carbonline.client.contract_client import ContractClient
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, print_the_end
from carbonline.command.kilograms import Kilograms, print_kilograms
from carbonline.command.names import type_name
from carbonline.command.options import (
    MODULE,
    YEAR,
    no_watch_option,
    optional_type_option,
    priority_option,
    type_is_missing,
)
from carbonline.v1 import types_pb2


@click.command(
    short_help="Recompute emissions and totals.",
    epilog=examples(
        "carbonline recalculate --year 2024 --type plane",
        "carbonline recalculate --year 2024 --module purchase --only-stale",
    ),
)
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@optional_type_option("Required without --module.")
@click.option(
    "--module", type=MODULE, default=0, help="All types of this module, in place of --type."
)
@click.option(
    "--only-stale",
    is_flag=True,
    help="With --module: only the types whose emissions are not up to date.",
)
@priority_option
@no_watch_option
@connection_options
def recalculate(
    *,
    target: Target,
    year: int,
    data_entry_type: int,
    module: int,
    only_stale: bool,
    priority: int | None,
    no_watch: bool,
) -> None:
    """Recompute the emissions and totals of a type or module, and watch the pipeline to its end.

    Emissions with unchanged entries, factors, places and formula keep their rows. You need this
    after an upgrade with a new formula; everything else is recomputed automatically. With --module,
    each type that has data in the year is a job of its own: if one fails, the others are computed.
    """
    if data_entry_type and module:
        raise click.UsageError("--module is for all its types: leave out it or --type.")
    if not data_entry_type and not module:
        type_is_missing(" For all types of a module, give --module.")
    if only_stale and not module:
        raise click.UsageError("--only-stale is for the types of a --module: name one.")
    of = types_pb2.Scope(
        module=types_pb2.Module.ValueType(module),
        data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
        year=year,
    )
    raise SystemExit(
        run_to_end(_recalculate(target, of, priority, only_stale=only_stale, watch=not no_watch))
    )


async def _recalculate(
    target: Target, of: types_pb2.Scope, priority: int | None, *, only_stale: bool, watch: bool
) -> ExitCode:
    async with target.client() as client:
        job_type = "emission_recalc" if of.data_entry_type else "module_emission_recalc"
        module = of.module or await module_of(client, of.data_entry_type)
        scope = client.scope(module=module, data_entry_type=of.data_entry_type, year=of.year)
        payload = {"only_stale": "yes"} if only_stale else None
        submitted = await client.submit(job_type, scope, payload, priority=priority)
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
