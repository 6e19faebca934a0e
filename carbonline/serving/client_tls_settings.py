"""The settings with which a process speaks TLS to the servers that it calls."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from carbonline.serving.declared_settings import Setting
from carbonline.serving.settings import SettingsReader

TLS_CA = Setting(
    "TLS_CA",
    "a path",
    "Speak TLS with the servers that this process calls, and trust the authorities of this PEM "
    "file. Unix sockets speak none.",
)
TLS_CERT = Setting(
    "TLS_CERT", "a path", "A certificate of this process, for servers that ask for one."
)
TLS_KEY = Setting("TLS_KEY", "a path", "The key of TLS_CERT.", holds_secret=True)
CLIENT_TLS_SETTINGS = (TLS_CA, TLS_CERT, TLS_KEY)


Files = TypeVar("Files")


def calls_with_tls(read: SettingsReader) -> bool:
    """Whether the process speaks TLS with the servers that it calls."""
    return read.path(TLS_CA) is not None


def read_client_tls(
    read: SettingsReader, files: Callable[[Path | None, Path | None, Path | None], Files]
) -> Files | None:
    """What `files` makes of the CA, the certificate and the key, which is the client's to say. Its
    ValueError goes to the reader's faults.
    """
    try:
        return files(read.path(TLS_CA), read.path(TLS_CERT), read.path(TLS_KEY))
    except ValueError as error:
        read.faults.append(f"{TLS_CA.variable}: {error}")
        return None
