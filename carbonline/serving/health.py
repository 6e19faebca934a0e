"""The services that every server adds to its own: health, reflection and channelz.

Health has two kinds of names. `liveness` is SERVING until the drain, so that no probe kills a
process because its database is unavailable. The names of carbonline's services, and the empty name,
are readiness: NOT_SERVING also while the database does not answer. Any other name is NOT_FOUND.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import grpc.aio
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from carbonline.postgres.errors import is_answer
from carbonline.serving.reflection import add_reflection
from carbonline.serving.silence import SILENT_SECONDS, Silence

PING_EVERY_SECONDS = 1.0
PING_SECONDS_MAX = SILENT_SECONDS
# The name that a liveness probe asks for: whether the process answers, whatever its database does.
LIVENESS = "liveness"
SERVING = health_pb2.HealthCheckResponse.SERVING
UNANSWERED = "the database does not answer"
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

# It ships no types.
Health: TypeAlias = "health.aio.HealthServicer"


def add_health(server: grpc.aio.Server, services: Sequence[str]) -> Health:
    """Add health, reflection of `services` (full names) and channelz to a server."""
    healthy = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    add_reflection(server, (*services, health.SERVICE_NAME))
    channelz.add_channelz_servicer(server)
    return healthy


async def publish_health(
    healthy: Health,
    services: Sequence[str],
    ping: Callable[[], Awaitable[object]],
    fails_with: tuple[type[Exception], ...],
    report: Callable[[str], None] = lambda _: None,
    silence: Silence | None = None,
) -> None:
    """Report the server and `services` as SERVING while `ping` succeeds in time; never returns.

    `fails_with` are the exceptions, beside TimeoutError, that mean NOT_SERVING. Any other ends
    the task. `report` is called with the reason, or with "". `silence` is told what was asked and
    answered: an error of PostgreSQL is an answer, too.
    """
    silence = Silence() if silence is None else silence
    await healthy.set(LIVENESS, SERVING)
    unanswered: tuple[type[Exception], ...] = (TimeoutError, *fails_with)
    while True:
        silence.asked()
        try:
            async with asyncio.timeout(PING_SECONDS_MAX):
                await ping()
            status = SERVING
            silence.answered()
        except unanswered as error:
            status = NOT_SERVING
            if is_answer(error):
                silence.answered()
        for service in ("", *services):
            await healthy.set(service, status)
        report("" if status == SERVING else UNANSWERED)
        await asyncio.sleep(PING_EVERY_SECONDS)
