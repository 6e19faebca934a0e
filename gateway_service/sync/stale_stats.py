"""GET /v1/sync/health/stale-stats: every total that has not seen all changes, with the reason."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from carbonline.v1 import monitoring_pb2, types_pb2
from gateway_service.access.caller import token_of
from gateway_service.services import Services, method_of
from gateway_service.transcode.fields import fill
from gateway_service.transcode.problems import FieldsWrong, Violation

METHOD = "carbonline.v1.OperationsService.ListStaleStats"
MINUTES = "older_than_minutes"
# Ten years.
MINUTES_MAX = 5_256_000
PAGE_SIZE = 1_000
PAGES_MAX = 20


class StaleStats:
    """Every stale total of the caller's tenant."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._method = method_of(METHOD)

    async def serve(self, request: Request) -> Response:
        """A list, by year and module. Raises Problem."""
        token = token_of(request)
        query = request.query_params.multi_items()
        wanted = monitoring_pb2.ListStaleStatsRequest()
        fill(wanted, {}, [one for one in query if one[0] != MINUTES], None)
        wanted.older_than.seconds = 60 * _minutes([v for name, v in query if name == MINUTES])
        wanted.page_size = PAGE_SIZE
        found: list[Mapping[str, Any]] = []
        for _ in range(PAGES_MAX):
            answer: Any = await self._services.answer(self._method, wanted, token)
            found += [_row(one) for one in answer.stats]
            wanted.page_token = answer.next_page_token
            if not wanted.page_token:
                break
        return Response(json.dumps(found), media_type="application/json")


def _minutes(given: list[str]) -> int:
    text = given[-1] if given else "0"
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MINUTES_MAX):
        raise FieldsWrong([Violation(MINUTES, f"must be a whole number up to {MINUTES_MAX:,}")])
    return int(text)


def _row(one: monitoring_pb2.StaleStats) -> Mapping[str, Any]:
    return {
        "module_type_id": one.module,
        "module": types_pb2.Module.Name(one.module).removeprefix("MODULE_").lower(),
        "year": one.year,
        "why_stale": monitoring_pb2.StaleReason.Name(one.reason)
        .removeprefix("STALE_REASON_")
        .lower(),
        "stale_since": one.stale_since.ToJsonString() if one.HasField("stale_since") else None,
        "aggregated_at": one.aggregated_at.ToJsonString()
        if one.HasField("aggregated_at")
        else None,
        "job_id": str(one.job_id) if one.job_id else None,
        "pipeline_id": str(one.pipeline_id) if one.pipeline_id else None,
    }
