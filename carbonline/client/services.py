"""Where the services are: a stack on this machine, or addresses that somebody gives."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonline.client.errors import NoStack
from carbonline.local.stack_file import find_stack

DATA_FOLDER = "carbonline-data"


@dataclass(frozen=True, slots=True)
class Services:
    """Addresses ("unix:PATH" or "host:port"), and what a caller shows there."""

    scheduler_address: str
    ledger_address: str
    tenant: str
    token_file: Path | None


def find_services(environment: Mapping[str, str], data_folder: Path | None = None) -> Services:
    """What `carbonline` itself would call: addresses of the environment, or else the stack that
    runs on the data folder. A folder that is named wins. NoStack where there is neither.
    """
    said = {name: environment.get(f"CARBONLINE_{name}", "") for name in (*_ADDRESSES, *_REST)}
    scheduler, ledger = (said[name] for name in _ADDRESSES)
    token_file = Path(said["TOKEN_FILE"]) if said["TOKEN_FILE"] else None
    if data_folder is None and (scheduler or ledger):
        return Services(scheduler or ledger, ledger or scheduler, said["TENANT"], token_file)
    folder = data_folder or Path(said["DATA_FOLDER"] or DATA_FOLDER)
    stack = find_stack(folder)
    if stack is None:
        raise NoStack(
            f"No stack runs on the folder {folder}. Start one with `carbonline up`, or say where "
            "the services are with CARBONLINE_SCHEDULER_ADDRESS and CARBONLINE_LEDGER_ADDRESS."
        )
    return Services(
        stack.scheduler_address,
        stack.ledger_address,
        said["TENANT"] or stack.tenant,
        token_file or stack.token_file,
    )


def services_here(data_folder: str | Path | None) -> Services:
    """The same in this process's environment."""
    return find_services(os.environ, None if data_folder is None else Path(data_folder))


_ADDRESSES = ("SCHEDULER_ADDRESS", "LEDGER_ADDRESS")
_REST = ("TOKEN_FILE", "TENANT", "DATA_FOLDER")
