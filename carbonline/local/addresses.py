"""Chooses the doors of a stack: unix sockets in a private folder, or loopback with a token."""

import os
import secrets
import socket
from pathlib import Path

from carbonline.local.errors import WrongChoice
from carbonline.local.settings import LOOPBACK, Addresses, StackSettings
from carbonline.local.socket_folder import make_socket_folder

TOKEN_FILE = "token"  # noqa: S105 - a file's name
TOKEN_BYTES = 32
PORT_MAX = 65_535


def choose_addresses(settings: StackSettings, data_folder: Path, database_url: str) -> Addresses:
    """Addresses nobody else listens on; WrongChoice if a port is taken.

    `data_folder` is the settings' own, made absolute.
    """
    log_folder = data_folder / "logs"
    log_folder.mkdir(mode=0o700, exist_ok=True)
    # One that an earlier release made may be open to others.
    log_folder.chmod(0o700)
    on_tcp = settings.scheduler_port is not None or settings.ledger_port is not None
    return Addresses(
        database_url=database_url,
        scheduler_address=_address("scheduler", settings.scheduler_port, data_folder),
        ledger_address=_address("ledger", settings.ledger_port, data_folder),
        token_file=_token_file(data_folder) if on_tcp else None,
        tenant=settings.tenant,
        data_folder=data_folder,
        blob_folder=data_folder / "blobs",
        log_folder=log_folder,
        metrics_ports=_metrics_ports(settings),
    )


def _address(name: str, port: int | None, data_folder: Path) -> str:
    if port is not None:
        return f"{LOOPBACK}:{_free_port(name, port)}"
    path = make_socket_folder(data_folder) / f"{name}.sock"
    # Of a server that was killed; the folder is ours alone.
    path.unlink(missing_ok=True)
    return f"unix:{path}"


def _metrics_ports(settings: StackSettings) -> dict[str, int]:
    """One after the other, so that whoever scrapes them need not be told after each start."""
    first, names = settings.metrics_port, settings.process_names
    if first == 0:
        return {}
    if first + len(names) - 1 > PORT_MAX:
        raise WrongChoice(
            f"{len(names)} processes serve metrics on as many ports, which port {first} as the "
            f"first leaves no room for: choose one up to {PORT_MAX - len(names) + 1}."
        )
    return {
        name: _free_port(f"metrics of the {name}", first + place)
        for place, name in enumerate(names)
    }


def _free_port(name: str, port: int) -> int:
    """The port itself if it is free, for 0 any free one."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        # Connections of the server before, in their last minute, are no obstacle.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
            # Two sockets with that option may bind one port; only one may listen.
            trial.listen(1)
        except OSError as error:
            raise WrongChoice(
                f"Port {port} of {LOOPBACK}, wanted for the {name}, cannot be had: "
                f"{error.strerror}. Stop what listens there, or choose another port."
            ) from None
        number: int = trial.getsockname()[1]
        return number


def _token_file(data_folder: Path) -> Path:
    """A random token for this folder, made once: what was told to a client stays true."""
    path = data_folder / TOKEN_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        return path
    with os.fdopen(descriptor, "w") as token:
        token.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
    return path
