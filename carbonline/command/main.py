"""`carbonline`: the group of all subcommands."""

import os

import click

from carbonline.command.cancel import cancel
from carbonline.command.demo import demo
from carbonline.command.exit_codes import EXIT_CODES_HELP
from carbonline.command.jobs import jobs
from carbonline.command.load import load
from carbonline.command.migrate import migrate
from carbonline.command.pipelines import pipelines
from carbonline.command.rejected import rejected
from carbonline.command.status import status
from carbonline.command.submit import submit
from carbonline.command.template import template
from carbonline.command.totals import totals
from carbonline.command.up import up
from carbonline.command.warnings import warnings
from carbonline.command.watch import watch
from carbonline.command.workers import workers


@click.group(epilog=EXIT_CODES_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="carbonline")
def main() -> None:
    """Bulk carbon accounting: from a CSV to trusted totals."""
    # gRPC's own chatter on stderr tells a person nothing that the answers do not tell.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


for command in (
    demo,
    up,
    load,
    submit,
    watch,
    totals,
    rejected,
    warnings,
    template,
    status,
    pipelines,
    jobs,
    cancel,
    workers,
    migrate,
):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="carbonline")
