"""A watch that outlives its connections: it resumes from the last version that it has seen."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from carbonline.client.lasting_stream import Broken, lasting_stream
from carbonline.client.no_answer import Server
from carbonline.v1 import scheduler_pb2, types_pb2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A complete snapshot of the pipeline."""

    pipeline: types_pb2.Pipeline
    jobs: Sequence[types_pb2.Job]


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed since the event before, without a gap."""

    pipeline: types_pb2.Pipeline
    jobs: Sequence[types_pb2.Job]
    left_job_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Activity:
    """Claims and progress. Without a version: some may be left out or repeated.

    `status` is that of the pipeline meanwhile, unspecified if the server does not say it.
    """

    jobs: Sequence[types_pb2.Job]
    status: types_pb2.PipelineStatus.ValueType = types_pb2.PIPELINE_STATUS_UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The stream broke, and is resumed from `version`.

    `silent_seconds`: how long ago the server was last heard, if it has kept its connection and
    sent nothing; 0 if the connection ended, since that is told at once.
    """

    version: int
    reason: str
    silent_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Final:
    """The pipeline has ended. This is the last event."""

    pipeline: types_pb2.Pipeline
    evidence_digest: str


WatchEvent: TypeAlias = Snapshot | Change | Activity | Interrupted | Final
# A stream after a version, and behind the pages of a snapshot that broke off, if there are any.
OpenStream: TypeAlias = Callable[
    [int, scheduler_pb2.SnapshotPosition | None],
    AsyncIterator[scheduler_pb2.WatchPipelineResponse],
]


@dataclass(slots=True)
class _Position:
    """The version that the watcher has, and the pages of an incomplete snapshot with the version
    that it will have.
    """

    version: int
    pages: list[types_pb2.Job] = field(default_factory=list)
    pages_version: int = 0
    # Whether the message before was a page that another one follows.
    is_continued: bool = False

    @property
    def broken_off(self) -> scheduler_pb2.SnapshotPosition | None:
        """Where the pages end; None if there are none."""
        if not self.pages:
            return None
        return scheduler_pb2.SnapshotPosition(
            version=self.pages_version, after_job_id=self.pages[-1].job_id
        )


async def watch_events(
    open_stream: OpenStream, server: Server, after_version: int, patience_seconds: float
) -> AsyncIterator[WatchEvent]:
    """Yields events until the pipeline's end, over as many streams as it takes.

    A stream that a server ends as a matter of routine is resumed without an event. Raises
    ServerError if the watch is refused, or if no server answers for `patience_seconds`.
    """
    position = _Position(after_version)

    def open_next() -> AsyncIterator[scheduler_pb2.WatchPipelineResponse]:
        position.is_continued = False
        return open_stream(position.version, position.broken_off)

    async with aclosing(lasting_stream(open_next, server, patience_seconds)) as messages:
        async for message in messages:
            if isinstance(message, Broken):
                if not message.is_routine:
                    yield Interrupted(position.version, message.reason, message.silent_seconds)
                continue
            event = _event_of(message, position)
            if event is not None:
                yield event
            if isinstance(event, Final):
                return


def _event_of(
    message: scheduler_pb2.WatchPipelineResponse, position: _Position
) -> WatchEvent | None:
    match message.WhichOneof("message"):
        case "snapshot":
            if not message.snapshot.after_job_id and not position.is_continued:
                position.pages.clear()
            position.pages.extend(message.snapshot.jobs)
            position.pages_version = message.snapshot.pipeline.version
            position.is_continued = message.snapshot.more
            if message.snapshot.more:
                return None
            jobs = tuple(position.pages)
            position.pages.clear()
            position.version = message.snapshot.pipeline.version
            return Snapshot(message.snapshot.pipeline, jobs)
        case "change":
            change = message.change
            position.version = change.to_version
            return Change(change.pipeline, tuple(change.jobs), tuple(change.left_job_ids))
        case "activity":
            return Activity(tuple(message.activity.jobs), message.activity.status)
        case "final":
            return Final(message.final.pipeline, message.final.evidence_digest)
        case _:
            # A keepalive, or a message of a newer server.
            return None
