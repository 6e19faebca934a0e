"""The one table that says which (state, event) pairs are legal and where they lead."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class JobState(StrEnum):
    """Where a job stands; stored as its name."""

    NOT_STARTED = "NOT_STARTED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"


class JobResult(StrEnum):
    """How a finished job ended; stored as its name."""

    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    SUPERSEDED = "SUPERSEDED"


class JobEvent(StrEnum):
    """What can happen to a job."""

    BECAME_FIRST_AND_DUE = "is first of its key and due, no drain pending"
    CLAIMED = "claimed"
    FINISHED = "finished by its claim"
    RELEASED = "released or expired, attempts left"
    ABANDONED = "released or expired, attempts spent"
    RECOVERED = "recovered by an operator"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded by a duplicate that waits again"
    UNLINKED = "its owner was cancelled, others have joined"


class IllegalTransition(Exception):
    """The event is not legal in the state; the caller decided on something it had not locked."""


TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = MappingProxyType(
    {
        (JobState.NOT_STARTED, JobEvent.BECAME_FIRST_AND_DUE): JobState.QUEUED,
        (JobState.NOT_STARTED, JobEvent.CANCELLED): JobState.FINISHED,
        (JobState.NOT_STARTED, JobEvent.SUPERSEDED): JobState.FINISHED,
        (JobState.NOT_STARTED, JobEvent.UNLINKED): JobState.NOT_STARTED,
        (JobState.QUEUED, JobEvent.CLAIMED): JobState.RUNNING,
        (JobState.QUEUED, JobEvent.CANCELLED): JobState.FINISHED,
        (JobState.QUEUED, JobEvent.UNLINKED): JobState.QUEUED,
        (JobState.RUNNING, JobEvent.FINISHED): JobState.FINISHED,
        (JobState.RUNNING, JobEvent.RELEASED): JobState.NOT_STARTED,
        (JobState.RUNNING, JobEvent.ABANDONED): JobState.FINISHED,
        (JobState.RUNNING, JobEvent.RECOVERED): JobState.NOT_STARTED,
        (JobState.RUNNING, JobEvent.CANCELLED): JobState.FINISHED,
        (JobState.RUNNING, JobEvent.UNLINKED): JobState.RUNNING,
    }
)


def next_state(state: JobState, event: JobEvent) -> JobState:
    """Where the event leads; IllegalTransition where it is refused."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"{event.name} is not legal in {state.name}") from None


def transitions_as_markdown() -> str:
    """The table as a Mermaid state diagram and a markdown table, for docs/job-states.md."""
    arrows = [
        f"    {before} --> {after}: {event.value}" for (before, event), after in TRANSITIONS.items()
    ]
    rows = [
        f"| {before} | {event.value} | {after} |" for (before, event), after in TRANSITIONS.items()
    ]
    return "\n".join(
        [
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> QUEUED: submitted or released, first of its key",
            "    [*] --> NOT_STARTED: submitted or released, must wait",
            *arrows,
            "    FINISHED --> [*]",
            "```",
            "",
            "| state | event | next |",
            "|---|---|---|",
            *rows,
        ]
    )
