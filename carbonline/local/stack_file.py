"""stack.json in the data folder, by which other commands find the running stack."""

import dataclasses
import json
import os
from pathlib import Path

from carbonline.local.folder_lock import folder_is_locked
from carbonline.local.settings import Addresses

STACK_FILE = "stack.json"


def write_stack_file(addresses: Addresses) -> None:
    """Writes the file atomically, readable by this user only."""
    values = dataclasses.asdict(addresses)
    text = json.dumps({"owner_pid": os.getpid(), **values}, default=os.fspath, indent=2)
    unfinished = addresses.data_folder / f"{STACK_FILE}.unfinished"
    unfinished.touch(mode=0o600)
    unfinished.write_text(text + "\n")
    unfinished.replace(addresses.data_folder / STACK_FILE)


def remove_stack_file(data_folder: Path) -> None:
    """Removes the file if it exists."""
    (data_folder / STACK_FILE).unlink(missing_ok=True)


def find_stack(data_folder: Path) -> Addresses | None:
    """The addresses of the stack that runs on a folder. None if none is running and ready.

    A file left behind by a killed owner does not count: nobody holds the folder's lock then.
    """
    try:
        values = json.loads((data_folder / STACK_FILE).read_text())
    except FileNotFoundError:
        return None
    if not folder_is_locked(data_folder):
        return None
    token_file = values["token_file"]
    return Addresses(
        database_url=values["database_url"],
        scheduler_address=values["scheduler_address"],
        ledger_address=values["ledger_address"],
        token_file=None if token_file is None else Path(token_file),
        tenant=values["tenant"],
        data_folder=Path(values["data_folder"]),
        blob_folder=Path(values["blob_folder"]),
        log_folder=Path(values["log_folder"]),
        metrics_ports=values["metrics_ports"],
        # A stack of an older release may still run.
        gateway_address=values.get("gateway_address", ""),
    )
