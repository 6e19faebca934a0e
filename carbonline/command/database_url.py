"""The options that name a database: a URL, or a file with one, so that no list of processes shows a
password.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from carbonline.command.exposed_files import print_exposed
from carbonline.exposed_file import exposed_file
from carbonline.postgres.url import holds_password

Function = TypeVar("Function", bound=Callable[..., Any])

_OF_FILE = "carbonline.database_url_of_file"
IN_SIGHT = (
    "a password on the command line is in every list of processes, and in the shell's history; "
    "write the URL into a file that only you read, and name it with --database-url-file or "
    "CARBONLINE_DATABASE_URL_FILE, or set CARBONLINE_DATABASE_URL"
)


def database_url_options(does: str, *, required: bool = False) -> Callable[[Function], Function]:
    """Add both options to a command, which gets the URL as `database_url`, or None."""

    def with_options(function: Function) -> Function:
        of_url = click.option(
            "--database-url",
            envvar="CARBONLINE_DATABASE_URL",
            show_envvar=True,
            callback=_chosen_if(required=required),
            help=does,
        )
        of_file = click.option(
            "--database-url-file",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            envvar="CARBONLINE_DATABASE_URL_FILE",
            show_envvar=True,
            expose_value=False,
            # Before the URL, whose callback looks for it.
            is_eager=True,
            callback=_keep,
            help="A file with that URL on its first line.",
        )
        return of_url(of_file(function))

    return with_options


def _keep(context: click.Context, option: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path} cannot be read: {error}", context, option) from None
    if not lines or not lines[0].strip():
        raise click.BadParameter(f"the first line of {path} is empty", context, option)
    context.meta[_OF_FILE] = lines[0].strip()
    exposed = exposed_file("--database-url-file", path)
    # A shell that completes words shows what is printed in the middle of them.
    if exposed is not None and not context.resilient_parsing:
        print_exposed([exposed])


def _chosen_if(*, required: bool) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    def chosen(context: click.Context, option: click.Parameter, url: str | None) -> str | None:
        of_file: str | None = context.meta.get(_OF_FILE)
        source = context.get_parameter_source(option.name or "")
        if url and source is ParameterSource.COMMANDLINE and holds_password(url):
            raise click.BadParameter(IN_SIGHT, context, option)
        if url and of_file:
            words = "give either --database-url or --database-url-file, not both"
            raise click.BadParameter(words, context, option)
        if required and not (url or of_file):
            raise click.MissingParameter(ctx=context, param=option)
        return url or of_file

    return chosen
