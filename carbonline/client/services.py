"""Where the services are: a stack on this machine, or addresses that somebody gives."""

import os
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


def choose_services(
    data_folder: Path, scheduler: str, ledger: str, token_file: Path | None, tenant: str
) -> Services | None:
    """Addresses, of which one may serve for both, or the stack that runs on the data folder; None
    where there is neither.
    """
    if scheduler or ledger:
        return Services(scheduler or ledger, ledger or scheduler, tenant, token_file)
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
    """What `carbonline` itself would call in this environment; a folder that is named wins over
    addresses. NoStack where there is nothing.
    """
    said = {name: os.environ.get(f"CARBONLINE_{name}", "") for name in _NAMES}
    folder = Path(data_folder or said["DATA_FOLDER"] or DATA_FOLDER)
    scheduler = "" if data_folder else said["SCHEDULER_ADDRESS"]
    ledger = "" if data_folder else said["LEDGER_ADDRESS"]
    token_file = Path(said["TOKEN_FILE"]) if said["TOKEN_FILE"] else None
    found = choose_services(folder, scheduler, ledger, token_file, said["TENANT"])
    if found is None:
        raise NoStack(
            f"No stack runs on the folder {folder}. Start one with `carbonline up`, or say where "
            "the services are with CARBONLINE_SCHEDULER_ADDRESS and CARBONLINE_LEDGER_ADDRESS."
        )
    return found


_NAMES = ("DATA_FOLDER", "SCHEDULER_ADDRESS", "LEDGER_ADDRESS", "TOKEN_FILE", "TENANT")
