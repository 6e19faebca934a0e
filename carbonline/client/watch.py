"""A watch that outlives its connections: it resumes from the last version that it has seen."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from random import uniform
from typing import TypeAlias

import grpc.aio

from carbonline.client.errors import ServerError, Unreachable, server_error
from carbonline.client.no_answer import Server, is_about_silence, no_answer
from carbonline.v1 import scheduler_pb2, types_pb2

# The server sends a message at least every ten seconds.
SILENCE_SECONDS_MAX = 25.0
PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 2.0
RESUMABLE = frozenset({"UNAVAILABLE", "CANCELLED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})
OLD = "STREAM_MAXIMUM_AGE"
# A server ends its streams in order: because of their age, or because it shuts down. The next one
# goes to a server that is up, if there is one.
ROUTINE = frozenset({OLD, "DRAINING"})


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
    """Claims and progress. Without a version: some may be left out or repeated."""

    jobs: Sequence[types_pb2.Job]


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
    answered: bool = False
    # By the loop's clock: when the last message came, or the watch began.
    heard_at: float = 0.0
    # Whether the stream broke because nothing came, on a connection that stayed open.
    is_silent: bool = False

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
    pause_seconds = PAUSE_SECONDS_FIRST
    loop = asyncio.get_running_loop()
    patient_until = loop.time() + patience_seconds
    position.heard_at = loop.time()
    while True:
        position.answered = position.is_continued = position.is_silent = False
        silent_seconds = 0.0
        try:
            stream = open_stream(position.version, position.broken_off)
            async for event in _one_stream(stream, server, position):
                yield event
                if isinstance(event, Final):
                    return
            reason, is_routine = "the stream ended before the pipeline", False
        except ServerError as error:
            if error.code not in RESUMABLE or error.too_large:
                raise
            # Where nothing has happened, a stream may grow old without a message.
            position.answered |= error.reason == OLD
            if not position.answered and loop.time() >= patient_until:
                raise
            reason = error.message or error.code
            if position.is_silent:
                silent_seconds = loop.time() - position.heard_at
            is_routine = error.reason in ROUTINE and position.answered
        if position.answered:
            pause_seconds = PAUSE_SECONDS_FIRST
            patient_until = loop.time() + patience_seconds
        if not is_routine:
            yield Interrupted(position.version, reason, silent_seconds)
        await asyncio.sleep(pause_seconds * uniform(0.5, 1.0))  # noqa: S311  spreads load only
        pause_seconds = min(PAUSE_SECONDS_MAX, 2 * pause_seconds)


async def _one_stream(
    stream: AsyncIterator[scheduler_pb2.WatchPipelineResponse],
    server: Server,
    position: _Position,
) -> AsyncIterator[WatchEvent]:
    messages = aiter(stream)
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS_MAX):
                message = await anext(messages)
        except StopAsyncIteration:
            return
        except TimeoutError:
            position.is_silent = True
            silent = no_answer(server, "", SILENCE_SECONDS_MAX)
            raise Unreachable("UNAVAILABLE", "", silent, {}, {}, server) from None
        except grpc.aio.AioRpcError as error:
            position.is_silent = is_about_silence(error.details() or "")
            raise server_error(error, server) from None
        position.answered = True
        position.heard_at = asyncio.get_running_loop().time()
        event = _event_of(message, position)
        if event is not None:
            yield event


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
            return Activity(tuple(message.activity.jobs))
        case "final":
            return Final(message.final.pipeline, message.final.evidence_digest)
        case _:
            # A keepalive, or a message of a newer server.
            return None
