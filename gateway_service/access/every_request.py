"""What every request passes first, and every answer last."""

import asyncio
import time
import uuid
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from gateway_service.access.caller import cookie_of
from gateway_service.access.origin import check_host, check_origin
from gateway_service.access.sent_answer import DATA, GONE, SentAnswer
from gateway_service.access.tenant import note_choice
from gateway_service.metrics import GatewayMetrics
from gateway_service.problem_answers import answer_of
from gateway_service.transcode.problems import Problem

SESSION = "/v1/session"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Where a connection says why none of its requests is served.
REFUSED = "refused"


class EveryRequest:
    """Checks the host and the origin, counts, and answers for what has failed."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Sequence[str],
        metrics: GatewayMetrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            # A web socket, which nobody serves: uvicorn answers for it.
            return
        began = time.monotonic()
        seen = SentAnswer(send, scope)
        try:
            try:
                _check(Request(scope), self._hosts)
            except Problem as problem:
                await answer_of(problem)(scope, receive, seen.send)
            else:
                note_choice(Request(scope))
                await self._app(scope, receive, seen.send)
        except ClientDisconnect:
            # Nobody is there who could be answered.
            pass
        except asyncio.CancelledError:
            # The gateway ends, and has waited for as long as it does.
            if seen.status != GONE:
                raise
            await answer_of(_draining())(scope, receive, seen.send)
        except Exception as error:  # noqa: BLE001 - every answer of ours is a problem
            await self._failed(error, scope, receive, seen)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            seconds = time.monotonic() - began
            self._metrics.ended(route, seen.status, seconds, streams=seen.streams)

    async def _failed(
        self, error: Exception, scope: Scope, receive: Receive, seen: SentAnswer
    ) -> None:
        if seen.status != GONE:
            self._log.warning("answer_broken_off", path=scope["path"][:200], error=repr(error))
            return
        number = uuid.uuid4().hex[:12]
        self._log.error("request_failed", id=number, path=scope["path"][:200], exc_info=error)
        problem = Problem(
            500,
            "GATEWAY_FAILED",
            f"The gateway failed at this request, which is a bug. Its log says why: {number}.",
            {"id": number},
        )
        await answer_of(problem)(scope, receive, seen.send)


def _check(request: Request, hosts: Sequence[str]) -> None:
    if (refused := request.scope.get("state", {}).get(REFUSED)) is not None:
        raise refused
    check_host(request, hosts)
    path = request.url.path
    logs_in = path.startswith(SESSION) and request.method not in SAFE_METHODS
    if logs_in or (path.startswith(DATA) and cookie_of(request)):
        check_origin(request)


def _draining() -> Problem:
    words = "The gateway ends before it has an answer. Repeat the request."
    return Problem(503, "DRAINING", words, retry_seconds=1.0, headers={"connection": "close"})
