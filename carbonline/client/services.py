"""Finds the servers: a stack on this machine, or given addresses."""

import os
from dataclasses import dataclass
from pathlib import Path

from carbonline.client.errors import NoStack, WrongArgument
from carbonline.client.tls_files import TlsFiles, tls_files
from carbonline.local.stack_file import find_stack

DATA_FOLDER = "carbonline-data"


@dataclass(frozen=True, slots=True)
class Services:
    """Addresses ("unix:PATH" or "host:port", or several with commas), tenant, token, TLS."""

    scheduler_address: str
    ledger_address: str
    tenant: str
    token_file: Path | None
    tls: TlsFiles | None = None


def choose_services(
    data_folder: Path,
    scheduler: str,
    ledger: str,
    token_file: Path | None,
    tenant: str,
    tls: TlsFiles | None = None,
) -> Services | None:
    """The given addresses, or the stack that runs on the data folder. None if there is neither.

    One given address is used for both servers.
    """
    if scheduler or ledger:
        return Services(scheduler or ledger, ledger or scheduler, tenant, token_file, tls)
    stack = find_stack(data_folder)
    if stack is None:
        return None
    return Services(
        stack.scheduler_address,
        stack.ledger_address,
        tenant or stack.tenant,
        token_file or stack.token_file,
    )


def services_here(data_folder: str | Path | None) -> Services:
    """The servers that the command `carbonline` would call in this environment.

    A given folder wins over addresses in the environment. Raises NoStack if there are none.
    """
    variables = {name: os.environ.get(f"CARBONLINE_{name}", "") for name in _NAMES}
    folder = Path(data_folder or variables["DATA_FOLDER"] or DATA_FOLDER)
    scheduler = "" if data_folder else variables["SCHEDULER_ADDRESS"]
    ledger = "" if data_folder else variables["LEDGER_ADDRESS"]
    token_file, *pem = (
        Path(variables[name]) if variables[name] else None
        for name in ("TOKEN_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY")
    )
    try:
        tls = tls_files(*pem)
    except ValueError as error:
        raise WrongArgument(str(error)) from None
    found = choose_services(folder, scheduler, ledger, token_file, variables["TENANT"], tls)
    if found is None:
        raise NoStack(
            f"No stack runs on the folder {folder}. Start one with `carbonline up`, or say where "
            "the services are with CARBONLINE_SCHEDULER_ADDRESS and CARBONLINE_LEDGER_ADDRESS."
        )
    return found


_NAMES = (
    "DATA_FOLDER",
    "SCHEDULER_ADDRESS",
    "LEDGER_ADDRESS",
    "TOKEN_FILE",
    "TENANT",
    "TLS_CA",
    "TLS_CERT",
    "TLS_KEY",
)
