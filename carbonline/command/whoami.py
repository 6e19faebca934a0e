"""`carbonline whoami`: what the services take the caller for."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import module_name
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import operations_pb2, options_pb2

ALL = "all"
COLUMNS = (
    Column("name"),
    Column("tenants"),
    Column("roles"),
    Column("modules"),
    Column("units"),
    Column("expires_at", "until (UTC)"),
)


@click.command(
    short_help="Show who you are to the services.",
    epilog=examples("carbonline whoami", "carbonline whoami --token-file ann.token"),
)
@output_options
@connection_options
def whoami(target: Target, output: Output) -> None:
    """Show who you are to the services: your name, tenants, roles, modules and units.

    `carbonline token show` reads a token instead, and asks nobody whether it is right.
    """
    show_rows(COLUMNS, [row_of(run_to_end(_caller(target)))], output)


async def _caller(target: Target) -> operations_pb2.GetCallerResponse:
    async with target.client() as client:
        return await client.get_caller()


def row_of(caller: operations_pb2.GetCallerResponse) -> Row:
    """A caller as a row of COLUMNS."""
    return {
        "name": caller.name,
        "tenants": ", ".join(caller.tenants),
        "roles": ", ".join(_role(number) for number in caller.roles),
        "modules": ALL if caller.all_modules else ", ".join(map(module_name, caller.modules)),
        "units": ALL if caller.all_units else ", ".join(caller.units),
        "expires_at": moment_of(caller.expires_at),
    }


def _role(number: int) -> str:
    known = number in options_pb2.Role.values()
    name = options_pb2.Role.Name(options_pb2.Role.ValueType(number)) if known else str(number)
    return name.removeprefix("ROLE_").lower()
