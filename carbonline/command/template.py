"""`carbonline template`: prints a CSV to start from."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.options import DATA_ENTRY_TYPE
from carbonline.command.output_file import STDOUT, written_file
from carbonline.v1 import ledger_pb2


@click.command(
    short_help="Print a CSV template for a data-entry type.",
    epilog=examples(
        "carbonline template plane >trips.csv", "carbonline template plane --factors >factors.csv"
    ),
)
@click.argument("data_entry_type", metavar="TYPE", type=DATA_ENTRY_TYPE)
@click.option("--factors", is_flag=True, help="Print the template of its factor file instead.")
@connection_options
def template(target: Target, data_entry_type: int, factors: bool) -> None:
    """Print a CSV template for TYPE, such as plane: the header and an example row.

    What each column may contain is printed to stderr.
    """
    answer = run_to_end(_modules(target))
    for module in answer.modules:
        for one in module.data_entry_types:
            if one.data_entry_type == data_entry_type:
                _print(one, factors=factors)
                return
    raise click.UsageError("The server's catalogue does not have this type.")


async def _modules(target: Target) -> ledger_pb2.ListModulesResponse:
    async with target.client() as client:
        return await client.list_modules()


def _print(one: ledger_pb2.DataEntryTypeInfo, *, factors: bool) -> None:
    text = one.factor_template_csv if factors else one.template_csv
    if not text:
        raise click.UsageError(f"{one.name} is known by name, but not computed by this release.")
    # Not as a sentence: a line of it is one line, however narrow the terminal.
    with written_file(STDOUT) as file:
        file.write(text.encode() if text.endswith("\n") else f"{text}\n".encode())
    for column in one.factor_columns if factors else one.columns:
        click.echo(f"# {column.name}: {_what_it_must_be(column)}", err=True)


def _what_it_must_be(column: ledger_pb2.ColumnInfo) -> str:
    need = "required" if column.required else "optional"
    default = f", {column.default_value} if empty" if column.default_value else ""
    doubtful = f"; doubtful: {column.doubtful}" if column.doubtful else ""
    return f"{need}{default}; {column.rule or column.kind}{doubtful}"
