"""What a step returns when it ends as expected: an outcome, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Stats: TypeAlias = Mapping[str, Any]


class Written(StrEnum):
    """Whether a run may have committed data.

    NOTHING: surely not. UNKNOWN: it may have; the scheduler then has the totals computed again.
    """

    NOTHING = "NOTHING"
    UNKNOWN = "UNKNOWN"

    def or_worse(self, other: "Written") -> "Written":
        """NOTHING if both are NOTHING, else UNKNOWN."""
        return self if other is Written.NOTHING else other


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The work is committed: the job ends in SUCCESS, or in WARNING if `warnings`.

    `stats` are plain JSON and are stored with the job, `message` is a sentence for people.
    `written` is NOTHING only if the run changed nothing, and all that would follow it is done
    already: then only what it chained follows.
    """

    stats: Stats = field(default_factory=dict)
    message: str = ""
    warnings: bool = False
    written: Written = Written.UNKNOWN


@dataclass(frozen=True, slots=True)
class Failed:
    """The work cannot be done, and a retry would not help: the job ends in ERROR.

    `cause` is a short stable identifier such as "no_valid_rows", `message` a sentence for people.
    """

    cause: str
    message: str
    stats: Stats = field(default_factory=dict)
    written: Written = Written.NOTHING


@dataclass(frozen=True, slots=True)
class RetryLater:
    """A fault that passes: the claim is released, the job costs an attempt and waits.

    The wait is `delay_seconds`, or the backoff of the job type if that is None. `stats` go to the
    log only.
    """

    reason: str
    delay_seconds: float | None = None
    written: Written = Written.NOTHING
    stats: Stats = field(default_factory=dict)


Outcome: TypeAlias = Succeeded | Failed | RetryLater
