"""The states of a job, the one table of legal transitions between them, and what they make of a
pipeline.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class JobState(StrEnum):
    """Where a job stands; stored as its name.

    NOT_STARTED: it waits for its turn behind its exclusive key, for its backoff, or for a claim
    that drains. Submit, RetryPipeline and the Finish of a parent put a job here. Release,
    RecoverJob or an expired lease puts it back. The end of the job or of the drain before it moves
    it to QUEUED, or the sweep once `run_after` has come.

    QUEUED: it can be claimed. Claim moves it to RUNNING, or back to NOT_STARTED for a while if its
    row violates a constraint.

    RUNNING: a worker holds its claim. The claim's Finish ends it. Release, RecoverJob, or the sweep
    after the lease has expired, returns it to NOT_STARTED, or ends it if its attempts are spent.

    FINISHED: it has ended with a JobResult, and nothing moves it any more. The row stays until its
    pipeline is deleted. CancelPipeline brings a job here from every other state.
    """

    NOT_STARTED = "NOT_STARTED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"


class JobResult(StrEnum):
    """How a finished job ended; stored as its name.

    SUCCESS, WARNING: its claim finished it; its data count and its children become jobs.

    ERROR: its claim finished it so, or its attempts were spent; its staged children are dropped.

    CANCELLED: CancelPipeline ended it. A claim that it had drains until its worker lets go.

    SUPERSEDED: it waited while a job with the same coalesce key came back, which does its work.
    """

    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    SUPERSEDED = "SUPERSEDED"


class PipelineStatus(StrEnum):
    """How a pipeline stands; stored as its name. It follows from counters at every change.

    LIVE: a job of it, own, joined or held, has not ended. On the wire this is NOT_STARTED until a
    job has started, then RUNNING. The other four are final. A while after its end the pipeline is
    deleted, with its jobs.

    SUCCESS: no job failed. PARTIAL: a job failed, but not the root. FAILED: the root failed.
    CANCELLED: CancelPipeline ended it.
    """

    LIVE = "LIVE"
    SUCCESS = "SUCCESS"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


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
    SET_ASIDE = "a Claim has failed at it"
    UNLINKED = "its owner was cancelled, others have joined"


class IllegalTransition(Exception):
    """The event is not legal in the state: a defect, since decisions are made on locked rows."""


TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = MappingProxyType(
    {
        (JobState.NOT_STARTED, JobEvent.BECAME_FIRST_AND_DUE): JobState.QUEUED,
        (JobState.NOT_STARTED, JobEvent.CANCELLED): JobState.FINISHED,
        (JobState.NOT_STARTED, JobEvent.SUPERSEDED): JobState.FINISHED,
        (JobState.NOT_STARTED, JobEvent.UNLINKED): JobState.NOT_STARTED,
        (JobState.QUEUED, JobEvent.CLAIMED): JobState.RUNNING,
        (JobState.QUEUED, JobEvent.SET_ASIDE): JobState.NOT_STARTED,
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


def pipeline_status(
    *, live_jobs: int, failed_jobs: int, cancelled: bool, root_result: JobResult | None
) -> PipelineStatus:
    """LIVE while anything is live; then cancelled, failed root, failed step, or success."""
    if live_jobs > 0:
        return PipelineStatus.LIVE
    if cancelled:
        return PipelineStatus.CANCELLED
    if root_result is JobResult.ERROR:
        return PipelineStatus.FAILED
    if failed_jobs > 0:
        return PipelineStatus.PARTIAL
    return PipelineStatus.SUCCESS


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
