"""GET /v1/pipelines/{pipeline_id}/events: a WatchPipeline as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, NamedTuple

import grpc.aio
from starlette.requests import Request
from starlette.responses import Response

from carbonline.v1 import scheduler_pb2
from gateway_service.access.caller import token_of
from gateway_service.access.limits import Place, StreamLimits
from gateway_service.services import Services, method_of
from gateway_service.streams.sse import KEEPALIVE, EventStream, event
from gateway_service.transcode.answers import json_of
from gateway_service.transcode.fields import fill
from gateway_service.transcode.problems import FieldsWrong, Problem, Violation

WATCH = "carbonline.v1.SchedulerService.WatchPipeline"
VERSION_MAX = 2**63 - 1


class _Sent(NamedTuple):
    """One event, and at which version the pipeline ends with it; 0 if it does not."""

    piece: bytes
    ends_at: int = 0


class OnePipeline:
    """Watches a pipeline for each reader, with the reader's token."""

    def __init__(self, services: Services, limits: StreamLimits, draining: asyncio.Event) -> None:
        self._services = services
        self._limits = limits
        self._draining = draining
        self._method = method_of(WATCH)

    async def serve(self, request: Request) -> Response:
        """The stream; 204 for a reader that has seen the end. Raises Problem before any event."""
        token = token_of(request)
        wanted = scheduler_pb2.WatchPipelineRequest()
        fill(wanted, request.path_params, request.query_params.multi_items(), None)
        wanted.after_version = _last_seen(request) or wanted.after_version
        place = self._limits.open(await self._services.caller(token), request)
        call = self._services.stream(self._method, wanted, token)
        source = self._source(call, place)
        try:
            # A refusal is an answer of its own, so nothing is sent before the first message.
            first = await anext(source)
        except grpc.aio.AioRpcError as error:
            raise self._services.problem(self._method, error) from error
        except StopAsyncIteration:
            words = "The scheduler ended the stream before its first message. Try again."
            raise Problem(503, "DRAINING", words, retry_seconds=1.0) from None
        if 0 < first.ends_at <= wanted.after_version:
            await source.aclose()
            return Response(status_code=204)
        return EventStream(_all(first, source), self._draining)

    async def _source(self, call: Any, place: Place) -> AsyncGenerator[_Sent]:
        """The events of a call, which ends with them."""
        pages: list[scheduler_pb2.PipelineSnapshot] = []
        try:
            async for message in call:
                if message.WhichOneof("message") != "snapshot":
                    yield _sent(message)
                    continue
                pages.append(message.snapshot)
                if not message.snapshot.more:
                    yield _snapshot(pages)
                    pages = []
        finally:
            call.cancel()
            self._limits.close(place)


def _last_seen(request: Request) -> int:
    """The version that a browser brings back; 0 for none. Raises FieldsWrong."""
    given = request.headers.get("last-event-id", "").strip()
    if not given:
        return 0
    if not (given.isascii() and given.isdigit() and len(given) < 20 and int(given) <= VERSION_MAX):
        raise FieldsWrong([Violation("Last-Event-ID", "must be a version that a stream gave")])
    return int(given)


async def _all(first: _Sent, source: AsyncGenerator[_Sent]) -> AsyncGenerator[bytes]:
    try:
        yield first.piece
        # Whoever comes back brings the last version that it has seen, so nothing is lost by an end.
        with suppress(grpc.aio.AioRpcError):
            async for sent in source:
                yield sent.piece
    finally:
        await source.aclose()


def _sent(message: scheduler_pb2.WatchPipelineResponse) -> _Sent:
    match message.WhichOneof("message"):
        case "change":
            return _Sent(event("change", json_of(message.change), message.change.to_version))
        case "activity":
            # Without a number: who comes back must not miss a change.
            return _Sent(event("activity", json_of(message.activity)))
        case "final":
            version = message.final.pipeline.version
            return _Sent(event("final", json_of(message.final), version), version)
        case _:
            return _Sent(KEEPALIVE)


def _snapshot(pages: list[scheduler_pb2.PipelineSnapshot]) -> _Sent:
    whole = scheduler_pb2.PipelineSnapshot()
    whole.CopyFrom(pages[0])
    for page in pages[1:]:
        whole.jobs.extend(page.jobs)
    whole.more = False
    return _Sent(event("snapshot", json_of(whole), whole.pipeline.version))
