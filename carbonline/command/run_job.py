"""`carbonline run`: submits a job of a type that this deployment declares, or of any other."""

from collections.abc import Mapping, Sequence

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.options import (
    DATA_ENTRY_TYPE,
    MODULE,
    YEAR,
    no_watch_option,
    priority_option,
)
from carbonline.command.recalculate import follow_and_print_the_end, module_of
from carbonline.v1 import types_pb2


@click.command(
    "run",
    short_help="Run a job of a type of your own.",
    epilog=examples(
        "carbonline job-types",
        "carbonline run fleet_check --year 2024 --with depot=north",
    ),
)
@click.argument("job_type")
@click.option("--year", type=YEAR, help="The accounting year.")
@click.option("--module", type=MODULE, default=0, help="The module.")
@click.option("--type", "data_entry_type", type=DATA_ENTRY_TYPE, default=0, help="The data type.")
@click.option("--unit", default="", help="The unit.")
@click.option(
    "--with",
    "payload",
    multiple=True,
    metavar="KEY=VALUE",
    help="A key of the payload and its text. May be repeated.",
)
@priority_option
@no_watch_option
@connection_options
def run_job(  # noqa: PLR0913  click gives each option
    *,
    target: Target,
    job_type: str,
    year: int | None,
    module: int,
    data_entry_type: int,
    unit: str,
    payload: Sequence[str],
    priority: int | None,
    no_watch: bool,
) -> None:
    """Submit a job of JOB_TYPE with what its type needs, and watch the pipeline to its end.

    It is for types that your deployment declares; `carbonline job-types` lists what each needs. The
    product's own have commands: `submit`, `load`, `recalculate`.
    """
    given = types_pb2.Scope(
        module=types_pb2.Module.ValueType(module),
        data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
        year=year or 0,
        unit=unit,
    )
    said = payload_of(payload)
    code = run_to_end(_run(target, job_type, given, said, priority, watch=not no_watch))
    raise SystemExit(code)


def payload_of(payload: Sequence[str]) -> Mapping[str, str]:
    """The payload that --with says. Raises click.UsageError."""
    pairs = [text.partition("=") for text in payload]
    for text, (key, sign, _) in zip(payload, pairs, strict=True):
        if not key.strip() or not sign:
            raise click.UsageError(f"--with {text!r}: write KEY=VALUE.")
    return {key.strip(): value.strip() for key, _, value in pairs}


async def _run(
    target: Target,
    job_type: str,
    given: types_pb2.Scope,
    payload: Mapping[str, str],
    priority: int | None,
    *,
    watch: bool,
) -> ExitCode:
    async with target.client() as client:
        if given.data_entry_type and not given.module:
            number = await module_of(client, given.data_entry_type)
            given.module = types_pb2.Module.ValueType(number)
        scope = client.scope(
            module=given.module,
            data_entry_type=given.data_entry_type,
            year=given.year,
            unit=given.unit,
        )
        submitted = await client.submit(job_type, scope, payload, priority=priority)
        return await follow_and_print_the_end(client, submitted.pipeline_id, target, watch=watch)
