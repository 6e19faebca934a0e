"""GET /v1/sync/active-pipelines: which modules of a year a pipeline works on, as a sparse map."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from carbonline.v1 import monitoring_pb2
from gateway_service.access.caller import token_of
from gateway_service.services import Services, method_of
from gateway_service.transcode.fields import fill

METHOD = "carbonline.v1.OperationsService.ListActivePipelines"


class ActivePipelines:
    """Number of a module -> the newest pipeline that works on it, both as text."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._method = method_of(METHOD)

    async def serve(self, request: Request) -> Response:
        """Modules without such a pipeline are left out. Raises Problem."""
        token = token_of(request)
        wanted = monitoring_pb2.ListActivePipelinesRequest()
        fill(wanted, request.path_params, request.query_params.multi_items(), None)
        answer: Any = await self._services.answer(self._method, wanted, token)
        active = {
            str(one.module): str(one.active.pipeline_id)
            for one in answer.modules
            if one.HasField("active")
        }
        return Response(json.dumps(active), media_type="application/json")
