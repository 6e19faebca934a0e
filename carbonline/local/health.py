"""One probe of a server's health, for the stack that waits and for container engines."""

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from carbonline.client.channel import Metadata

SERVING = "SERVING"


async def health_of(
    channel: grpc.aio.Channel,
    seconds_max: float,
    metadata: Metadata = (),
    *,
    wait_for_ready: bool = False,
) -> str:
    """The status of the server as a whole, such as SERVING or NOT_SERVING.

    `wait_for_ready` waits up to `seconds_max` for a server that does not listen yet. Raises
    grpc.aio.AioRpcError if there is no answer.
    """
    answer = await health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(),
        timeout=seconds_max,
        metadata=metadata,
        wait_for_ready=wait_for_ready,
    )
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
