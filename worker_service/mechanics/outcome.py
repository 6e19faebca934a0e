"""What a step says when it is over: the outcomes that were expected, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Stats: TypeAlias = Mapping[str, Any]


class Written(StrEnum):
    """Whether a claim that does not end well may have committed data."""

    NOTHING = "NOTHING"
    UNKNOWN = "UNKNOWN"

    def or_worse(self, other: "Written") -> "Written":
        """NOTHING only when both sides know of nothing."""
        return self if other is Written.NOTHING else other


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The work is committed. `warnings` says that some rows were not: the job ends WARNING."""

    stats: Stats = field(default_factory=dict)
    message: str = ""
    warnings: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Repeating would not help: the job ends ERROR. `cause` is a short stable word."""

    cause: str
    message: str
    stats: Stats = field(default_factory=dict)
    written: Written = Written.NOTHING


@dataclass(frozen=True, slots=True)
class RetryLater:
    """A passing fault: the job is given back, costs an attempt and waits.

    `delay_seconds` None leaves the wait to the job type's backoff. `stats` go to the log only.
    """

    reason: str
    delay_seconds: float | None = None
    written: Written = Written.NOTHING
    stats: Stats = field(default_factory=dict)


Outcome: TypeAlias = Succeeded | Failed | RetryLater
