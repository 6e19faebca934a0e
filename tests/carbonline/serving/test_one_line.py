"""Calls of all methods wait in one line, which is as long as memory allows."""

import threading
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2_grpc

from carbonline.serving.listening import METADATA_BYTES_MAX, PENDING_CALLS_MAX, STREAM_BYTES
from carbonline.serving.one_line import one_line_server

METHODS = ("/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List")
CALLS_OF_A_METHOD = 10
LINE = 2
# At most: the server may have asked for the next one.
TAKEN = LINE + 1
SECONDS = 20.0


async def test_calls_of_several_methods_wait_in_one_line(tmp_path: Path) -> None:
    bound = (
        ("grpc.server.max_pending_requests", LINE),
        ("grpc.server.max_pending_requests_hard_limit", LINE),
    )
    server = one_line_server((), bound)
    health_pb2_grpc.add_HealthServicer_to_server(health_pb2_grpc.HealthServicer(), server)
    server.add_insecure_port(f"unix:{tmp_path}/s")
    await server.start()
    refused = threading.Semaphore(0)

    def ended(call: Any) -> None:
        if call.code() is grpc.StatusCode.CANCELLED:
            refused.release()

    with grpc.insecure_channel(f"unix:{tmp_path}/s") as channel:
        asked: list[Any] = [channel.unary_unary(method) for method in METHODS]
        # Nothing here waits for the loop, so that no handler begins meanwhile.
        calls = [ask.future(b"") for ask in asked for _ in range(CALLS_OF_A_METHOD)]
        for call in calls:
            call.add_done_callback(ended)
        for _ in range(len(calls) - TAKEN):
            assert refused.acquire(timeout=SECONDS)
    await server.stop(None)


def test_the_line_of_strangers_fits_into_memory() -> None:
    assert PENDING_CALLS_MAX * (METADATA_BYTES_MAX + STREAM_BYTES) < 60_000_000
