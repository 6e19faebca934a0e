"""Taking an upload back: the submission of a job."""

from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.v1 import operations_pb2 as pb
from carbonline.v1 import operations_pb2_grpc
from scheduler_service.jobs.requests import Refused
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_submit import check_withdrawal
from scheduler_service.rpc.gathered_calls import GatheredCalls
from scheduler_service.rpc.refusals import refusal

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Uploads(operations_pb2_grpc.OperationsServiceServicer):
    """WithdrawUpload."""

    gathered: GatheredCalls

    async def WithdrawUpload(
        self, request: pb.WithdrawUploadRequest, context: Context
    ) -> pb.WithdrawUploadResponse:
        [answer] = await self.gathered.submit([check_withdrawal(request, caller())])
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Refused):
            raise refusal(answer)
        return pb.WithdrawUploadResponse(
            pipeline_id=answer.pipeline_id,
            job_id=answer.job_id,
            disposition=messages.disposition(answer.disposition),
            first_disposition=messages.disposition(answer.first_disposition),
        )
