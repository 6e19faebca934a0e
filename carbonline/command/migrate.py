"""`carbonline migrate`: creates or upgrades the schemas of a database."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.database_url import database_url_options
from carbonline.local.migration import migrate_schemas


@click.command(
    short_help="Create or upgrade the schemas of a database.",
    epilog=examples("carbonline migrate --database-url postgresql://me@db.example/carbonline"),
)
@database_url_options("postgresql://user@host/database; PostgreSQL 15 to 18.", required=True)
def migrate(database_url: str) -> None:
    """Create or upgrade the schemas `scheduler` and `carbon` of a database."""
    run_to_end(migrate_schemas(database_url))
    click.echo("Both schemas are up to date.")
