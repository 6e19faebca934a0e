"""Files that go out as they are stored, chunk by chunk."""

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

import grpc.aio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from carbonline.v1 import blobs_pb2, operations_pb2
from gateway_service.access.caller import token_of
from gateway_service.metrics import GatewayMetrics
from gateway_service.services import Services, method_of
from gateway_service.transcode.fields import fill
from gateway_service.transcode.problems import Problem

DOWNLOAD = "carbonline.v1.BlobService.DownloadBlob"
STAT = "carbonline.v1.BlobService.StatBlob"
JOBS = "carbonline.v1.OperationsService.ListJobs"
JOBS_MAX = 200
# Where the stats of a job name its file of rejected rows.
REJECTED = "rejected_blob"
CSV = "text/csv; charset=utf-8"


class Download:
    """Downloads, of which the gateway holds one chunk at a time."""

    def __init__(self, services: Services, metrics: GatewayMetrics) -> None:
        self._services = services
        self._metrics = metrics
        self._method = method_of(DOWNLOAD)

    async def content(self, request: Request) -> Response:
        """A stored file, under the name that its first upload gave. Raises Problem."""
        token = token_of(request)
        wanted = blobs_pb2.StatBlobRequest()
        fill(wanted, request.path_params, request.query_params.multi_items(), None)
        stat: Any = await self._services.answer(method_of(STAT), wanted, token)
        name = stat.file_name or wanted.blob.rpartition(":")[2]
        return await self._file(wanted.blob, wanted.tenant, name, "application/octet-stream", token)

    async def rejected(self, request: Request) -> Response:
        """The rejected rows of a pipeline, each with its reasons, as CSV. Raises Problem."""
        token = token_of(request)
        wanted = operations_pb2.ListJobsRequest(page_size=JOBS_MAX)
        fill(wanted, request.path_params, request.query_params.multi_items(), None)
        answer: Any = await self._services.answer(method_of(JOBS), wanted, token)
        blobs = [job.stats[REJECTED] for job in answer.jobs if job.stats.fields.get(REJECTED)]
        blobs = [blob for blob in blobs if blob]
        if not blobs:
            words = f"Pipeline {wanted.pipeline_id} has rejected no rows."
            raise Problem(404, "NO_REJECTED_ROWS", words)
        name = f"rejected-{wanted.pipeline_id}.csv"
        return await self._file(str(blobs[0]), wanted.tenant, name, CSV, token)

    async def _file(self, blob: str, tenant: str, name: str, kind: str, token: str) -> Response:
        wanted = blobs_pb2.DownloadBlobRequest(blob=blob, tenant=tenant)
        call = self._services.stream(self._method, wanted, token)
        chunks = self._chunks(call)
        try:
            first = await anext(chunks, b"")
        except grpc.aio.AioRpcError as error:
            raise self._services.problem(self._method, error) from error
        # Without a length: a file that is found damaged at its end must not look whole.
        return StreamingResponse(
            _all(first, chunks),
            media_type=kind,
            headers={"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"},
        )

    async def _chunks(self, call: Any) -> AsyncGenerator[bytes]:
        try:
            async for message in call:
                self._metrics.bytes_down.inc(len(message.chunk))
                yield message.chunk
        finally:
            call.cancel()


async def _all(first: bytes, chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        yield first
        async for chunk in chunks:
            yield chunk
    finally:
        await chunks.aclose()
