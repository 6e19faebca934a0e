"""The options that say where the services are, and the client for them."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import WrongArgument
from carbonline.client.services import DATA_FOLDER, choose_services
from carbonline.client.tls_files import tls_files
from carbonline.command.collected_options import Function, with_options
from carbonline.command.exposed_files import print_exposed
from carbonline.exposed_file import ExposedFile, exposed_file
from carbonline.extras import uvx_program
from carbonline.local.stack_file import find_stack

_DEFAULTS = {"data-folder": DATA_FOLDER}
IN_A_CLONE = Path(".venv/bin/carbonline")


class NobodyThere(click.ClickException):
    """No stack runs on the data folder, or it does not answer."""

    exit_code = 6


@dataclass(frozen=True, slots=True)
class Target:
    """The services that a command uses: by their addresses if given, else by the data folder."""

    data_folder: Path
    scheduler: str
    ledger: str
    token_file: Path | None
    tenant: str
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @property
    def exposed_files(self) -> Sequence[ExposedFile]:
        """Those of the files with secrets that others of this machine may read."""
        alone = not (self.scheduler or self.ledger or self.token_file)
        stack = find_stack(self.data_folder) if alone else None
        named = (
            ("--token-file", self.token_file),
            ("--tls-key", self.tls_key),
            ("the token of the stack,", None if stack is None else stack.token_file),
        )
        exposed = [exposed_file(name, path) for name, path in named if path is not None]
        return [one for one in exposed if one is not None]

    def client(self) -> ContractClient:
        """A client of the services. Raises NobodyThere if no stack runs on the data folder.

        Raises click.UsageError if several addresses do not go together.
        """
        try:
            tls = tls_files(self.tls_ca, self.tls_cert, self.tls_key)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        where = choose_services(
            self.data_folder, self.scheduler, self.ledger, self.token_file, self.tenant, tls
        )
        if where is None:
            alone = replace(self, token_file=None)
            raise NobodyThere(
                f"No stack runs on the folder {self.data_folder}. Start one with "
                f"'{command_line('up', alone)}', or give --scheduler and --ledger."
            )
        try:
            return ContractClient(
                where.scheduler_address,
                where.ledger_address,
                tenant=where.tenant,
                token_file=where.token_file,
                tls=where.tls,
            )
        except WrongArgument as error:
            raise click.UsageError(str(error)) from None


def connection_options(function: Function) -> Function:
    """Add the connection options to a command, which gets them as `target`."""

    def collected(**given: Any) -> Any:
        target = Target(**{one.name: given.pop(one.name) for one in fields(Target)})
        print_exposed(target.exposed_files)
        return function(target=target, **given)

    return with_options(function, collected, _OPTIONS)


_OPTIONS = (
    click.option(
        "--data-folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(DATA_FOLDER),
        envvar="CARBONLINE_DATA_FOLDER",
        show_default=True,
        show_envvar=True,
        help="The folder of the stack that `up` runs.",
    ),
    click.option(
        "--scheduler",
        default="",
        envvar="CARBONLINE_SCHEDULER_ADDRESS",
        show_envvar=True,
        help="Use the scheduler at this address instead: unix:PATH or host:port, or several "
        "addresses with commas between them.",
    ),
    click.option(
        "--ledger",
        default="",
        envvar="CARBONLINE_LEDGER_ADDRESS",
        show_envvar=True,
        help="Use the ledger process at this address.",
    ),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        envvar="CARBONLINE_TOKEN_FILE",
        show_envvar=True,
        help="A file with the token for these addresses.",
    ),
    click.option(
        "--tenant",
        default="",
        envvar="CARBONLINE_TENANT",
        show_envvar=True,
        help="The institution; optional if there is only one.",
    ),
    *(
        click.option(
            f"--tls-{name}",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            envvar=f"CARBONLINE_TLS_{name.upper()}",
            show_envvar=True,
            help=does,
        )
        for name, does in (
            ("ca", "Speak TLS with these addresses, and trust the authorities of this PEM file."),
            ("cert", "A certificate of this client, for servers that ask for one."),
            ("key", "The key of the certificate."),
        )
    ),
)


def command_line(words: str, target: Target) -> str:
    """A command to type next, with the program name and connection options of this one."""
    chosen = {
        "data-folder": (str(target.data_folder), "CARBONLINE_DATA_FOLDER"),
        "scheduler": (target.scheduler, "CARBONLINE_SCHEDULER_ADDRESS"),
        "ledger": (target.ledger, "CARBONLINE_LEDGER_ADDRESS"),
        "token-file": (str(target.token_file or ""), "CARBONLINE_TOKEN_FILE"),
        "tenant": (target.tenant, "CARBONLINE_TENANT"),
        "tls-ca": (str(target.tls_ca or ""), "CARBONLINE_TLS_CA"),
        "tls-cert": (str(target.tls_cert or ""), "CARBONLINE_TLS_CERT"),
        "tls-key": (str(target.tls_key or ""), "CARBONLINE_TLS_KEY"),
    }
    options = [
        f" --{name} {shlex.quote(value)}"
        for name, (value, variable) in chosen.items()
        # What the environment says, it says the next time, too.
        if value not in ("", os.environ.get(variable, _DEFAULTS.get(name)))
    ]
    return f"{program_name()} {words}{''.join(options)}"


def program_name() -> str:
    """The program as one can type it here, quoted for a shell."""
    if by_uvx := uvx_program():
        return by_uvx
    if shutil.which("carbonline"):
        return "carbonline"
    beside = Path(sys.executable).parent / "carbonline"
    # By file and not by name: one may stand in the folder by another path, a link's.
    if IN_A_CLONE.exists() and IN_A_CLONE.samefile(beside):
        return str(IN_A_CLONE)
    return shlex.quote(str(beside))
