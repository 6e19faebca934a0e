"""What a process is told by its environment: read by kind, every fault in one message."""

import math
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TypeVar

PREFIX = "CARBONLINE_"
# Fewer than four beats in a lease, and one lost packet costs a job its worker.
BEATS_PER_LEASE_MIN = 4
# A day: no lease, pause or grace that helps anybody is longer.
SECONDS_MAX = 86_400
PORT_MAX = 65_535

Number = TypeVar("Number", int, float)


class SettingsWrong(ValueError):
    """Settings that are missing or contradict each other; says all of them, for people."""


class SettingsReader:
    """Reads variables, named without their prefix; what is wrong with them stands in `faults`.

    A number that is wrong is read as its default, and the reading goes on.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def check(self) -> None:
        """Raises SettingsWrong with every fault, if there is one."""
        if self.faults:
            raise SettingsWrong("; ".join(self.faults))

    def text(self, name: str, default: str = "") -> str:
        """Without the spaces around it; the default where nothing is left."""
        return self._environment.get(PREFIX + name, "").strip() or default

    def needed(self, name: str, example: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if not value:
            self.faults.append(f"{PREFIX}{name} is missing: set it to something like {example}")
        return value

    def path(self, name: str) -> Path | None:
        """None where it is not set."""
        given = self.text(name)
        return Path(given) if given else None

    def log_level(self) -> str:
        """debug, info, warning or error."""
        level = self.text("LOG_LEVEL", "info").lower()
        if level not in {"debug", "info", "warning", "error"}:
            self.faults.append(
                f"{PREFIX}LOG_LEVEL must be debug, info, warning or error, not {level!r}"
            )
        return level

    def build_id(self) -> str:
        """What is set, or else the installed version."""
        try:
            return self.text("BUILD_ID") or metadata.version("carbonline")
        except metadata.PackageNotFoundError:
            return "unknown"

    def lease_and_beat(self) -> tuple[float, float]:
        """Seconds of a lease, and from one heartbeat to the next; several find room in a lease."""
        lease, beat = self.seconds("LEASE_SECONDS", 45.0), self.seconds("BEAT_SECONDS", 10.0)
        if beat * BEATS_PER_LEASE_MIN > lease:
            self.faults.append(
                f"{PREFIX}BEAT_SECONDS ({beat:g}) must be at most a quarter of "
                f"{PREFIX}LEASE_SECONDS ({lease:g})"
            )
        return lease, beat

    def seconds(self, name: str, default: float, *, or_none: bool = False) -> float:
        """More than 0, or 0 where `or_none`."""
        allowed = f"a number of {'0 or more' if or_none else 'more than 0'}, up to {SECONDS_MAX}"
        return self._number(
            name, default, float, lambda n: 0 < n <= SECONDS_MAX or (or_none and n == 0), allowed
        )

    def whole(self, name: str, default: int, *, most: int) -> int:
        """From 1 to `most`."""
        return self._number(
            name, default, int, lambda n: 1 <= n <= most, f"a whole number from 1 to {most}"
        )

    def port(self, name: str) -> int:
        """0 where none is wanted."""
        allowed = f"a port, a whole number up to {PORT_MAX}, or 0 for none"
        return self._number(name, 0, int, lambda n: 0 <= n <= PORT_MAX, allowed)

    def _number(
        self,
        name: str,
        default: Number,
        kind: Callable[[str], Number],
        fits: Callable[[Number], bool],
        allowed: str,
    ) -> Number:
        given = self.text(name)
        try:
            number = kind(given) if given else default
        except ValueError:
            number = kind("-1")
        # Not a number, NaN, is neither less nor more than anything.
        if math.isfinite(number) and fits(number):
            return number
        self.faults.append(f"{PREFIX}{name} must be {allowed}, not {given!r}")
        return default
