"""Whether the services behind the gateway can be used."""

import asyncio

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway_service.services import Services

CHECK_SECONDS_MAX = 2.0
SERVING = health_pb2.HealthCheckResponse.SERVING


class Readiness:
    """Asks both services how they are. Probes need no token."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def fault(self) -> str:
        """Why the gateway is not ready; "" if it is."""
        channels = self._services.channels()
        faults = await asyncio.gather(*(_fault_of(*one) for one in channels.items()))
        return "; ".join(fault for fault in faults if fault)


async def _fault_of(name: str, channel: grpc.aio.Channel) -> str:
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest()
    try:
        answer = await stub.Check(request, timeout=CHECK_SECONDS_MAX)
    except grpc.aio.AioRpcError as error:
        return f"the {name} does not answer: {error.code().name}"
    return "" if answer.status == SERVING else f"the {name} is not ready"
