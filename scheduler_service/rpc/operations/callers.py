"""Who calls."""

import math
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.auth.principals import Principal
from carbonline.serving.interceptor import caller
from carbonline.v1 import operations_pb2 as pb
from carbonline.v1 import operations_pb2_grpc, options_pb2, types_pb2

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Callers(operations_pb2_grpc.OperationsServiceServicer):
    """GetCaller."""

    async def GetCaller(
        self, request: pb.GetCallerRequest, context: Context
    ) -> pb.GetCallerResponse:
        principal = caller()
        answer = pb.GetCallerResponse(
            name=principal.name,
            tenants=principal.tenants,
            roles=sorted(options_pb2.Role.Value(f"ROLE_{r.upper()}") for r in principal.roles),
            all_modules=principal.modules is None,
            modules=_modules(principal),
            all_units=principal.units is None,
            units=sorted(principal.units or ()),
        )
        answer.answered_at.GetCurrentTime()
        if not math.isinf(principal.expires_at):
            answer.expires_at.FromMilliseconds(round(principal.expires_at * 1000))
        return answer


def _modules(principal: Principal) -> list[types_pb2.Module.ValueType]:
    return [types_pb2.Module.ValueType(number) for number in sorted(principal.modules or ())]
