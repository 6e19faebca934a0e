"""Chooses the addresses of a stack: unix sockets in a private folder, or loopback with a token."""

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
    """Chooses addresses that nobody else listens on. Raises WrongChoice if a port is taken.

    `data_folder` is that of the settings, made absolute.
    """
    log_folder = data_folder / "logs"
    log_folder.mkdir(mode=0o700, exist_ok=True)
    # A folder made by an earlier release may be open to other users.
    log_folder.chmod(0o700)
    ports = (settings.scheduler_port, settings.ledger_port, settings.gateway_port)
    on_tcp = any(port is not None for port in ports)
    return Addresses(
        database_url=database_url,
        scheduler_address=_scheduler_address(settings, data_folder),
        ledger_address=_address("ledger", settings.ledger_port, data_folder),
        token_file=_token_file(data_folder) if on_tcp else None,
        tenant=settings.tenant,
        data_folder=data_folder,
        blob_folder=data_folder / "blobs",
        log_folder=log_folder,
        metrics_ports=_metrics_ports(settings),
        gateway_address=(
            ""
            if settings.gateway_port is None
            else f"{LOOPBACK}:{_free_port('gateway', settings.gateway_port)}"
        ),
    )


def _scheduler_address(settings: StackSettings, data_folder: Path) -> str:
    first = settings.scheduler_port
    names = settings.scheduler_names
    if first and first + len(names) - 1 > PORT_MAX:
        raise WrongChoice(
            f"{len(names)} schedulers need a port each, and {first} as the first one is too high. "
            f"Choose a port up to {PORT_MAX - len(names) + 1}."
        )
    return ",".join(
        _address(name, first + place if first else first, data_folder)
        for place, name in enumerate(names)
    )


def _address(name: str, port: int | None, data_folder: Path) -> str:
    if port is not None:
        return f"{LOOPBACK}:{_free_port(name, port)}"
    path = make_socket_folder(data_folder) / f"{name}.sock"
    # Left behind by a killed server: nobody else uses this folder.
    path.unlink(missing_ok=True)
    return f"unix:{path}"


def _metrics_ports(settings: StackSettings) -> dict[str, int]:
    """Consecutive ports, so that a Prometheus configuration survives a restart."""
    first, names = settings.metrics_port, settings.process_names
    if first == 0:
        return {}
    if first + len(names) - 1 > PORT_MAX:
        raise WrongChoice(
            f"{len(names)} processes need a port each for metrics, and {first} as the first one is "
            f"too high. Choose a port up to {PORT_MAX - len(names) + 1}."
        )
    return {
        name: _free_port(f"metrics of the {name}", first + place)
        for place, name in enumerate(names)
    }


def _free_port(name: str, port: int) -> int:
    """The port itself if it is free. For 0, any free port. Raises WrongChoice."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        # Closed connections of an earlier server do not count as in use.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
            # Two sockets with that option may bind one port; only one may listen.
            trial.listen(1)
        except OSError as error:
            raise WrongChoice(
                f"Cannot use port {port} of {LOOPBACK} for the {name}: {error.strerror}. "
                "Stop what listens there, or choose another port."
            ) from None
        number: int = trial.getsockname()[1]
        return number


def port_or_free(port: int) -> int:
    """The port if it is free; else 0, which stands for any free one."""
    try:
        return _free_port("", port)
    except WrongChoice:
        return 0


def _token_file(data_folder: Path) -> Path:
    """The file with the random token of this folder. Made once, so clients can keep the token."""
    path = data_folder / TOKEN_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        return path
    with os.fdopen(descriptor, "w") as token:
        token.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
    return path
