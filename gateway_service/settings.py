"""The settings of the gateway, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from carbonline.client.addresses import target_of
from carbonline.serving.declared_settings import (
    BUILD_ID,
    LOG_LEVEL,
    METRICS_HOST,
    METRICS_PORT,
    PORT_MAX,
    Setting,
)
from carbonline.serving.metrics_address import MetricsAddress
from carbonline.serving.settings import SettingsReader

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

GATEWAY_ADDRESS = Setting(
    "GATEWAY_ADDRESS",
    "a loopback address with a port",
    "Where the gateway listens for HTTP. Other addresses need TLS: put a proxy before it.",
    example="127.0.0.1:7410",
)
GATEWAY_HOSTS = Setting(
    "GATEWAY_HOSTS",
    "names separated by commas",
    "The host names, besides those of this machine, under which browsers reach the gateway through "
    "a proxy with TLS. Requests to other names are refused.",
)
SCHEDULER_ADDRESS = Setting(
    "SCHEDULER_ADDRESS",
    "unix:PATH or host:port, or several separated by commas",
    "The address of the scheduler.",
    example="127.0.0.1:7400 or unix:/path/to/socket",
)
LEDGER_ADDRESS = Setting(
    "LEDGER_ADDRESS",
    "unix:PATH or host:port, or several separated by commas",
    "The address of the ledger process.",
    example="127.0.0.1:7401 or unix:/path/to/socket",
)
SETTINGS: tuple[Setting, ...] = (
    GATEWAY_ADDRESS,
    GATEWAY_HOSTS,
    SCHEDULER_ADDRESS,
    LEDGER_ADDRESS,
    METRICS_PORT,
    METRICS_HOST,
    LOG_LEVEL,
    BUILD_ID,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable; `host` and `port` are those of GATEWAY_ADDRESS.

    Port 0 is any free one, for tests. `hosts` are the names of a proxy, in small letters.
    """

    host: str
    port: int
    scheduler_address: str
    ledger_address: str
    hosts: tuple[str, ...] = ()
    metrics: MetricsAddress = MetricsAddress()  # noqa: RUF009  frozen
    log_level: str = "info"
    build_id: str = ""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings. Raises SettingsWrong, whose message names every fault."""
    read = SettingsReader(environment)
    host, port = _listening(read)
    settings = Settings(
        host=host,
        port=port,
        scheduler_address=_address(read, SCHEDULER_ADDRESS),
        ledger_address=_address(read, LEDGER_ADDRESS),
        hosts=tuple(h.strip().lower() for h in read.text(GATEWAY_HOSTS).split(",") if h.strip()),
        metrics=read.metrics_address(),
        log_level=read.log_level(),
        build_id=read.build_id(),
    )
    read.check()
    return settings


def _address(read: SettingsReader, setting: Setting) -> str:
    given = read.needed(setting)
    try:
        target_of(given)
    except ValueError as error:
        read.faults.append(f"{setting.variable} {error}")
    return given


def _listening(read: SettingsReader) -> tuple[str, int]:
    given = read.needed(GATEWAY_ADDRESS)
    host, _, port = given.rpartition(":")
    if given and (host not in LOOPBACK or not port.isascii() or not port.isdigit()):
        read.faults.append(
            f"{GATEWAY_ADDRESS.variable} {given}: without TLS only loopback addresses are served; "
            "use 127.0.0.1:PORT, behind a TLS proxy if need be"
        )
        return "", 0
    number = int(port or 0)
    if number > PORT_MAX:
        read.faults.append(f"{GATEWAY_ADDRESS.variable} {given}: a port is at most {PORT_MAX}")
    return host.strip("[]"), number
