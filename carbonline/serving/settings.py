"""Reads the settings of a process from its environment, and reports every fault at once."""

import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TypeVar

from carbonline.postgres.url import driver_url, fault_of_shape
from carbonline.serving.call_limits import CallLimits
from carbonline.serving.declared_settings import (
    BEAT_SECONDS,
    BUILD_ID,
    CALLS_MAX,
    CALLS_MEBIBYTES_LEAST,
    CALLS_MEBIBYTES_MAX,
    CALLS_MOST,
    CLIENT_CONNECTIONS_MAX,
    CLIENT_CONNECTIONS_MOST,
    DAYS_MAX,
    LEASE_SECONDS,
    LOG_LEVEL,
    LOG_LEVELS,
    METRICS_HOST,
    METRICS_PORT,
    PORT_MAX,
    PREFIX,
    RECEIVE_SECONDS,
    SECONDS_MAX,
    Setting,
    file_of,
)
from carbonline.serving.metrics_address import MetricsAddress

# Fewer than four beats in a lease, and one lost packet costs a job its worker.
BEATS_PER_LEASE_MIN = 4
# In place of a secret whose file cannot be read, which is a fault of its own.
UNREADABLE = "postgresql://"

Number = TypeVar("Number", int, float)


class SettingsWrong(ValueError):
    """Settings that are missing or wrong, or contradict each other. The message names all."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)

    def message_for(self, process: str, program: str) -> str:
        """One line for one fault; a list of several, with the command that lists all settings."""
        if len(self.faults) == 1:
            return f"{process}: {self}"
        lines = [f"{process}: {len(self.faults)} settings are missing or wrong:"]
        lines += [f"  {fault}" for fault in self.faults]
        return "\n".join([*lines, f"`{program} --help` lists every setting."])


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it must be text in UTF-8"


class SettingsReader:
    """Reads declared settings and collects what is wrong with them in `faults`.

    A wrong number is read as its default, so that reading goes on and finds every fault.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def check(self) -> None:
        """Raise SettingsWrong with every fault, if there is one."""
        if self.faults:
            raise SettingsWrong(self.faults)

    def text(self, setting: Setting) -> str:
        """The value without the spaces around it; the default if nothing is left."""
        return self._environment.get(setting.variable, "").strip() or setting.default

    def needed(self, setting: Setting) -> str:
        """A value that must be set."""
        value = self.text(setting)
        if not value:
            self.faults.append(
                f"{setting.variable} is missing: set it to something like {setting.example}"
            )
        return value

    def secret(self, setting: Setting) -> str:
        """A value that may stand in the file of `file_of(setting)` instead; "" without either."""
        given, path = self.text(setting), self.path(file_of(setting))
        if path is None:
            return given
        variable = file_of(setting).variable
        if given:
            self.faults.append(f"set either {setting.variable} or {variable}, not both")
            return given
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            self.faults.append(f"{variable} {path}: {_reason(error)}")
            # What is missing besides is not to be told: it stands in the file.
            return UNREADABLE
        value = lines[0].strip() if lines else ""
        if not value:
            self.faults.append(f"{variable} {path}: its first line is empty")
            return UNREADABLE
        return value

    def database_url(self, setting: Setting) -> str:
        """A `secret` that is the URL of a database, as the driver takes it; "" if it is not set."""
        url = self.secret(setting)
        if url and url != UNREADABLE and (fault := fault_of_shape(url)):
            given = setting if self.text(setting) else file_of(setting)
            self.faults.append(f"{given.variable}: {fault}; correct it")
        return driver_url(url)

    def path(self, setting: Setting) -> Path | None:
        """A path; None if it is not set and has no default."""
        given = self.text(setting)
        return Path(given) if given else None

    def log_level(self) -> str:
        """debug, info, warning or error."""
        level = self.text(LOG_LEVEL).lower()
        if level not in LOG_LEVELS:
            self.faults.append(
                f"{LOG_LEVEL.variable} must be debug, info, warning or error, not {level!r}"
            )
        return level

    def build_id(self) -> str:
        """BUILD_ID, or the installed version if it is not set."""
        try:
            return self.text(BUILD_ID) or metadata.version("carbonline")
        except metadata.PackageNotFoundError:
            return "unknown"

    def lease_and_beat(self) -> tuple[float, float]:
        """Seconds of a lease, and between two heartbeats: at most a quarter of the lease."""
        lease, beat = self.seconds(LEASE_SECONDS), self.seconds(BEAT_SECONDS)
        if beat * BEATS_PER_LEASE_MIN > lease:
            self.faults.append(
                f"{PREFIX}BEAT_SECONDS ({beat:g}) must be at most a quarter of "
                f"{PREFIX}LEASE_SECONDS ({lease:g})"
            )
        return lease, beat

    def seconds(self, setting: Setting, *, or_none: bool = False) -> float:
        """A number of seconds more than 0, or 0 if `or_none`."""
        return self._number(setting, float, lambda n: 0 < n <= SECONDS_MAX or (or_none and n == 0))

    def days(self, setting: Setting) -> float:
        """A number of days, at least one."""
        return self._number(setting, float, lambda n: 1 <= n <= DAYS_MAX)

    def whole(self, setting: Setting, *, most: int, least: int = 1) -> int:
        """A whole number from `least` to `most`."""
        return self._number(setting, int, lambda n: least <= n <= most)

    def client_connections(self) -> int:
        """How many connections of clients a server takes."""
        return self.whole(CLIENT_CONNECTIONS_MAX, most=CLIENT_CONNECTIONS_MOST)

    def call_limits(self) -> CallLimits:
        """The bounds of the calls in flight."""
        return CallLimits(
            self.whole(CALLS_MAX, most=CALLS_MOST),
            self.whole(CALLS_MEBIBYTES_MAX, most=CALLS_MOST, least=CALLS_MEBIBYTES_LEAST),
            self.seconds(RECEIVE_SECONDS),
        )

    def metrics_address(self) -> MetricsAddress:
        """Where metrics and probes are served; port 0 for none."""
        host = self.text(METRICS_HOST)
        try:
            ipaddress.ip_address(host)
        except ValueError:
            self.faults.append(
                f"{METRICS_HOST.variable} must be {METRICS_HOST.form}, such as 127.0.0.1 or "
                f"0.0.0.0, not {host!r}"
            )
        return MetricsAddress(self._number(METRICS_PORT, int, lambda n: 0 <= n <= PORT_MAX), host)

    def _number(
        self,
        setting: Setting,
        kind: Callable[[str], Number],
        fits: Callable[[Number], bool],
    ) -> Number:
        given = self.text(setting)
        try:
            number = kind(given)
        except ValueError:
            number = kind("-1")
        # Not a number, NaN, is neither less nor more than anything.
        if math.isfinite(number) and fits(number):
            return number
        self.faults.append(f"{setting.variable} must be {setting.form}, not {given!r}")
        return kind(setting.default)
