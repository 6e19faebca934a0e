"""The settings of the gateway, read from the environment."""

import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carbonline.client.addresses import target_of
from carbonline.client.tls_files import TlsFiles, tls_files
from carbonline.serving.client_tls_settings import (
    CLIENT_TLS_SETTINGS,
    calls_with_tls,
    read_client_tls,
)
from carbonline.serving.config_file import CONFIG_FILE
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
from carbonline.serving.tls_settings import MESH, WITHOUT_TLS, encrypted_elsewhere
from gateway_service.access.networks import Network, networks_of

# Of one network address, behind proxies that are known. A browser has one stream.
STREAMS_OF_ADDRESS_MAX = 50
STREAMS_OF_ADDRESS_MOST = 100_000_000
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

GATEWAY_ADDRESS = Setting(
    "GATEWAY_ADDRESS",
    "an address of this machine with a port",
    "Where the gateway listens for HTTP. Put a proxy with TLS before it. If the proxy is not on "
    "this machine, set GATEWAY_HOSTS and WITHOUT_TLS, too.",
    example="127.0.0.1:7410",
)
GATEWAY_HOSTS = Setting(
    "GATEWAY_HOSTS",
    "names separated by commas",
    "The host names, besides those of this machine, under which browsers reach the gateway through "
    "a proxy with TLS. Requests to other names are refused.",
)
GATEWAY_PROXIES = Setting(
    "GATEWAY_PROXIES",
    "addresses and networks separated by commas, such as 127.0.0.1, 10.1.0.0/16",
    "The proxies before the gateway. What they write into X-Forwarded-For is believed, so that the "
    "streams of one network address are counted. Without it they are not.",
)
GATEWAY_STREAMS_OF_ADDRESS_MAX = Setting(
    "GATEWAY_STREAMS_OF_ADDRESS_MAX",
    "streams",
    "How many streams one network address behind GATEWAY_PROXIES may have open at once. A browser "
    "has one. Raise it if many people share an address. The next one is refused with "
    "TOO_MANY_STREAMS.",
    default=str(STREAMS_OF_ADDRESS_MAX),
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
    GATEWAY_PROXIES,
    GATEWAY_STREAMS_OF_ADDRESS_MAX,
    SCHEDULER_ADDRESS,
    LEDGER_ADDRESS,
    *CLIENT_TLS_SETTINGS,
    WITHOUT_TLS,
    METRICS_PORT,
    METRICS_HOST,
    LOG_LEVEL,
    BUILD_ID,
    CONFIG_FILE,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable; `host` and `port` are those of GATEWAY_ADDRESS, `tls` is what both
    services are called with.

    Port 0 is any free one, for tests. `hosts` are the names of a proxy, in small letters.
    """

    host: str
    port: int
    scheduler_address: str
    ledger_address: str
    hosts: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()
    streams_of_address_max: int = STREAMS_OF_ADDRESS_MAX
    tls: TlsFiles | None = None
    metrics: MetricsAddress = MetricsAddress()  # noqa: RUF009  frozen
    log_level: str = "info"
    build_id: str = ""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings. Raises SettingsWrong, whose message names every fault."""
    read = SettingsReader(environment)
    hosts = tuple(h.strip().lower() for h in read.text(GATEWAY_HOSTS).split(",") if h.strip())
    host, port = _listening(read, hosts)
    settings = Settings(
        host=host,
        port=port,
        scheduler_address=_address(read, SCHEDULER_ADDRESS),
        ledger_address=_address(read, LEDGER_ADDRESS),
        hosts=hosts,
        proxies=_proxies(read),
        streams_of_address_max=read.whole(
            GATEWAY_STREAMS_OF_ADDRESS_MAX, most=STREAMS_OF_ADDRESS_MOST
        ),
        tls=read_client_tls(read, tls_files),
        metrics=read.metrics_address(),
        log_level=read.log_level(),
        build_id=read.build_id(),
    )
    read.check()
    return settings


def _address(read: SettingsReader, setting: Setting) -> str:
    given = read.needed(setting)
    try:
        target_of(given, with_tls=calls_with_tls(read))
    except ValueError as error:
        read.faults.append(f"{setting.variable} {error}")
    return given


def _proxies(read: SettingsReader) -> tuple[Network, ...]:
    try:
        return networks_of(read.text(GATEWAY_PROXIES))
    except ValueError as error:
        read.faults.append(f"{GATEWAY_PROXIES.variable} must be {GATEWAY_PROXIES.form}: {error}")
        return ()


def _listening(read: SettingsReader, hosts: Sequence[str]) -> tuple[str, int]:
    given = read.needed(GATEWAY_ADDRESS)
    behind_proxy = encrypted_elsewhere(read)
    if not given:
        return "", 0
    host, _, port = given.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > PORT_MAX or not _is_address(host):
        read.faults.append(
            f"{GATEWAY_ADDRESS.variable} {given}: must be an address of this machine and a port up "
            f"to {PORT_MAX}, such as 127.0.0.1:7410"
        )
        return "", 0
    if host not in LOOPBACK and not behind_proxy:
        read.faults.append(
            f"{GATEWAY_ADDRESS.variable} {given}: without TLS only loopback addresses are served; "
            f"use 127.0.0.1:{port} behind a proxy with TLS on this machine, or, if a proxy "
            f'elsewhere encrypts, set {WITHOUT_TLS.variable}="{MESH}"'
        )
    elif host not in LOOPBACK and not hosts:
        read.faults.append(
            f"{GATEWAY_ADDRESS.variable} {given}: set {GATEWAY_HOSTS.variable} to the names under "
            "which browsers reach the proxy; requests to any other name are refused"
        )
    return host.strip("[]"), int(port)


def _is_address(host: str) -> bool:
    if host in LOOPBACK:
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
