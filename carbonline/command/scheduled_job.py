"""What a schedule submits: a job that asks a service, or one of a type of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from carbonline.client.contract_client import ContractClient
from carbonline.command.collected_options import Function, with_options
from carbonline.command.jobs_of_files import fetching_job, in_its_module
from carbonline.command.options import DATA_ENTRY_TYPE, YEAR, module_option
from carbonline.command.recalculate import module_of
from carbonline.command.run_job import payload_of
from carbonline.command.submit import brought_type
from carbonline.v1 import types_pb2

# The provider that ships with the product and brings units; of others, --units says it.
BRINGS_UNITS = "unit-directory"

_OPTIONS = (
    click.option(
        "--from",
        "provider",
        default="",
        metavar="PROVIDER",
        help="The service that a worker asks at each tick, such as unit-directory or travel-api.",
    ),
    click.option(
        "--units",
        "brings_units",
        is_flag=True,
        help="PROVIDER brings units, as unit-directory is known to.",
    ),
    click.option(
        "--run",
        "job_type",
        default="",
        metavar="JOB_TYPE",
        help="A job of this type instead, such as one that your deployment declares.",
    ),
    click.option(
        "--type",
        "data_entry_type",
        type=DATA_ENTRY_TYPE,
        default=0,
        help="The data-entry type, such as plane.  [default: what PROVIDER is known to bring]",
    ),
    module_option,
    click.option(
        "--year",
        type=YEAR,
        default=None,
        help="The accounting year.  [default: the year of each tick]",
    ),
    click.option("--unit", default="", help="With --run, the unit."),
    click.option(
        "--with",
        "payload",
        multiple=True,
        metavar="KEY=VALUE",
        help="With --run, a key of the payload and its text. May be repeated.",
    ),
)


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job without a file. Parts of its scope are 0 or "" where nothing was said."""

    job_type: str
    payload: Mapping[str, str]
    module: int = 0
    data_entry_type: int = 0
    year: int = 0
    unit: str = ""

    async def scope(self, client: ContractClient) -> types_pb2.Scope:
        """Its scope, in the module of its type. Raises click.UsageError for an unknown type."""
        module = self.module
        if self.job_type == "api_ingest":
            job = fetching_job("", module, self.data_entry_type, self.year)
            module = in_its_module(job, await client.list_modules()).module
        elif self.data_entry_type and not module:
            module = await module_of(client, self.data_entry_type)
        return client.scope(
            module=module,
            data_entry_type=self.data_entry_type,
            year=self.year,
            unit=self.unit,
        )


def scheduled_job_options(function: Function) -> Function:
    """Adds the options to a command, which gets them as `job`, a ScheduledJob."""

    def collected(
        provider: str,
        job_type: str,
        unit: str,
        payload: Sequence[str],
        *,
        brings_units: bool,
        module: int,
        data_entry_type: int,
        year: int | None,
        **rest: Any,
    ) -> Any:
        of = (module, data_entry_type, year or 0)
        if bool(provider) == bool(job_type):
            raise click.UsageError("Name either a service with --from, or a job type with --run.")
        if job_type:
            if brings_units:
                raise click.UsageError("--units is for a service: name it with --from.")
            return function(job=ScheduledJob(job_type, payload_of(payload), *of, unit), **rest)
        if unit or payload:
            raise click.UsageError("--unit and --with are for a job type: name it with --run.")
        return function(job=_asking(provider, *of, brings_units=brings_units), **rest)

    return with_options(function, collected, _OPTIONS)


def _asking(
    provider: str, module: int, data_entry_type: int, year: int, *, brings_units: bool
) -> ScheduledJob:
    asks = {"provider": provider}
    if brings_units and (data_entry_type or module):
        raise click.UsageError("Units have neither a --type nor a --module.")
    if brings_units or (provider == BRINGS_UNITS and not data_entry_type):
        return ScheduledJob("unit_sync", asks, module, 0, year)
    of_type = brought_type(provider, data_entry_type)
    return ScheduledJob("api_ingest", asks, module, of_type, year)
