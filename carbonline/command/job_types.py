"""`carbonline job-types`: what each type of job needs, reports and is followed by."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.output import Output, output_options, show_rows
from carbonline.v1 import monitoring_pb2

COLUMNS = (
    Column("job_type", kind=Kind.WORD),
    Column("enabled", once_if_same=True),
    Column("scope_parts", "scope"),
    Column("optional_scope_parts", "may have"),
    Column("payload_keys", "payload"),
    Column("child_types", "then runs"),
    Column("attempts_max", "attempts", kind=Kind.NUMBER, once_if_same=True),
    Column("needs_provisioned_year", in_tables=False),
    Column("coalesces", in_tables=False),
    Column("may_be_scheduled", in_tables=False),
    Column("exclusive", in_tables=False),
    Column("stats", in_tables=False),
)


@click.command(
    "job-types",
    short_help="List the job types: scope, payload, children.",
    epilog=examples("carbonline job-types", "carbonline job-types --json"),
)
@output_options
@connection_options
def job_types(target: Target, output: Output) -> None:
    """List the job types that the scheduler knows, for whoever writes a client or a worker.

    Keys of the payload that a job needs have a *. --json also has the stats that jobs end with, and
    what runs one at a time.
    """
    answer = run_to_end(_job_types(target))
    show_rows(COLUMNS, [_row(one) for one in answer.job_types], output)


async def _job_types(target: Target) -> monitoring_pb2.ListJobTypesResponse:
    async with target.client() as client:
        return await client.list_job_types()


def _row(one: monitoring_pb2.JobType) -> Row:
    exclusive = one.exclusive if one.HasField("exclusive") else None
    return {
        "job_type": one.job_type,
        "enabled": one.enabled,
        "scope_parts": list(one.scope_parts),
        "optional_scope_parts": list(one.optional_scope_parts),
        "payload_keys": ["anything"]
        if one.any_payload
        else [f"{key.name}*" if key.required else key.name for key in one.payload_keys],
        "child_types": list(one.child_types),
        "attempts_max": one.attempts_max,
        "needs_provisioned_year": one.needs_provisioned_year,
        "coalesces": one.coalesces,
        "may_be_scheduled": one.may_be_scheduled,
        "exclusive": None
        if exclusive is None
        else {"family": exclusive.family, "scope_parts": list(exclusive.scope_parts)},
        "stats": {stat.name: stat.meaning for stat in one.stats},
    }
