"""`carbonline`: the group of all subcommands."""

import os

import click

from carbonline.command.active import active
from carbonline.command.cancel import cancel
from carbonline.command.command_group import Program
from carbonline.command.completion import completion
from carbonline.command.config import config
from carbonline.command.console import console
from carbonline.command.copy_upload import copy_upload
from carbonline.command.demo import demo
from carbonline.command.doctor import doctor
from carbonline.command.download import download
from carbonline.command.drain import drain
from carbonline.command.explain import explain
from carbonline.command.factors import factors
from carbonline.command.job import job
from carbonline.command.job_types import job_types
from carbonline.command.jobs import jobs
from carbonline.command.load import load
from carbonline.command.locations import locations
from carbonline.command.lock import lock, unlock
from carbonline.command.mappings import mappings
from carbonline.command.migrate import migrate
from carbonline.command.modules import modules
from carbonline.command.pause import pause, resume
from carbonline.command.pipelines import pipelines
from carbonline.command.queue import queue
from carbonline.command.recalculate import recalculate
from carbonline.command.recover import recover
from carbonline.command.references import references
from carbonline.command.rejected import rejected
from carbonline.command.remove import remove
from carbonline.command.report import report
from carbonline.command.restore import restore
from carbonline.command.results import results
from carbonline.command.retry import retry
from carbonline.command.run_job import run_job
from carbonline.command.schedule import schedule
from carbonline.command.seed import seed
from carbonline.command.slots import slots
from carbonline.command.stale import stale
from carbonline.command.status import status
from carbonline.command.submit import submit
from carbonline.command.template import template
from carbonline.command.token import token
from carbonline.command.totals import totals
from carbonline.command.uncomputed import uncomputed
from carbonline.command.units import units
from carbonline.command.up import up
from carbonline.command.uploads import uploads
from carbonline.command.verify import verify
from carbonline.command.warnings import warnings
from carbonline.command.watch import watch
from carbonline.command.whoami import whoami
from carbonline.command.withdraw import withdraw
from carbonline.command.workers import workers
from carbonline.command.years import years


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="carbonline")
def main() -> None:
    """Bulk carbon accounting: from a CSV to trusted totals.

    Commands are listed in the order in which you need them; COMMAND --help shows examples.
    """
    # gRPC's own chatter on stderr tells a person nothing that the answers do not tell.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


main.add_section("Start", demo, up)
main.add_section(
    "Load and submit data",
    modules,
    load,
    template,
    submit,
    seed,
    schedule,
    run_job,
    watch,
    uploads,
    download,
    copy_upload,
    withdraw,
    restore,
)
main.add_section("Read results", totals, report, results, uncomputed, rejected, warnings)
main.add_section("Inspect inputs", units, factors, locations, references, mappings)
main.add_section(
    "Operate",
    status,
    doctor,
    years,
    pipelines,
    jobs,
    job,
    explain,
    queue,
    active,
    stale,
    slots,
    cancel,
    retry,
    recover,
    recalculate,
    remove,
    workers,
    drain,
    job_types,
    pause,
    resume,
    lock,
    unlock,
    verify,
    config,
    migrate,
    token,
    whoami,
    console,
    completion,
)


if __name__ == "__main__":
    main(prog_name="carbonline")
