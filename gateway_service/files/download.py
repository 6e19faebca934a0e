"""Files that go out as they are stored, chunk by chunk."""

from collections.abc import AsyncGenerator, Awaitable, Iterable, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import grpc.aio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from carbonline.v1 import blobs_pb2, ledger_pb2, operations_pb2
from gateway_service.access.caller import token_of
from gateway_service.metrics import GatewayMetrics
from gateway_service.services import Services, method_of
from gateway_service.transcode.fields import fill
from gateway_service.transcode.problems import Problem

DOWNLOAD = "carbonline.v1.BlobService.DownloadBlob"
STAT = "carbonline.v1.BlobService.StatBlob"
JOBS = "carbonline.v1.OperationsService.ListJobs"
JOB = "carbonline.v1.OperationsService.GetJob"
UPLOADS = "carbonline.v1.LedgerService.ListUploads"
JOBS_MAX = 200
# The job that divides a file of several types.
DIVIDES = "routed_ingest"
_NOT_FOR_THE_CALLER = (403, 404)
# Where the stats of a job name its file of rejected rows.
REJECTED = "rejected_blob"
CSV = "text/csv; charset=utf-8"
BYTES = "application/octet-stream"


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
        return await self._file(wanted.blob, wanted.tenant, name, BYTES, token)

    async def upload(self, request: Request) -> Response:
        """The file of an upload as it was sent. Of a file of several types that is all of it for as
        long as its pipeline is kept, and then the part of the upload's type. Raises Problem.
        """
        token = token_of(request)
        wanted = ledger_pb2.ListUploadsRequest()
        fill(wanted, request.path_params, request.query_params.multi_items(), None)
        answer: Any = await self._services.answer(method_of(UPLOADS), wanted, token)
        for one in answer.uploads:
            whole = await self._whole(one, wanted.tenant, token)
            if whole:
                return await self._file(whole, wanted.tenant, one.file_name, BYTES, token)
            stat = blobs_pb2.StatBlobRequest(blob=one.blob, tenant=wanted.tenant)
            kept: Any = await self._services.answer(method_of(STAT), stat, token)
            # Its first upload has named it: the part is not called as the whole file.
            name = kept.file_name or one.file_name or f"{one.upload_id}.csv"
            return await self._file(one.blob, wanted.tenant, name, BYTES, token)
        raise Problem(404, "UPLOAD_NOT_FOUND", f"There is no upload {wanted.upload_id}.")

    async def _whole(self, upload: ledger_pb2.Upload, tenant: str, token: str) -> str:
        """The file that was divided by type; "" for none, or none that the caller may see."""
        if not upload.pipeline_id:
            return ""
        jobs = operations_pb2.ListJobsRequest(
            tenant=tenant, pipeline_id=upload.pipeline_id, job_types=[DIVIDES]
        )
        try:
            listed: Any = await self._services.answer(method_of(JOBS), jobs, token)
            for job in listed.jobs:
                wanted = operations_pb2.GetJobRequest(tenant=tenant, job_id=job.job_id)
                found: Any = await self._services.answer(method_of(JOB), wanted, token)
                blob = str(found.payload["blob"])
                stat = blobs_pb2.StatBlobRequest(blob=blob, tenant=tenant)
                await self._services.answer(method_of(STAT), stat, token)
                return blob
        except Problem as problem:
            if problem.status not in _NOT_FOR_THE_CALLER:
                raise
        return ""

    async def rejected(self, request: Request) -> Response:
        """The rejected rows of a pipeline, each with its reasons, as CSV. Raises Problem."""
        token = token_of(request)
        wanted = operations_pb2.ListJobsRequest()
        fill(wanted, request.path_params, request.query_params.multi_items(), None)
        blobs = await self._rejected_blobs(wanted, token)
        if not blobs:
            words = f"Pipeline {wanted.pipeline_id} has rejected no rows."
            raise Problem(404, "NO_REJECTED_ROWS", words)
        name = f"rejected-{wanted.pipeline_id}.csv"
        first, *others = blobs
        begun = await self._begun(first, wanted.tenant, token)
        following = (self._begun(blob, wanted.tenant, token) for blob in others)
        return _answer(_under_one_header(begun, following), name, CSV)

    async def _rejected_blobs(
        self, wanted: operations_pb2.ListJobsRequest, token: str
    ) -> Sequence[str]:
        """The files of rejected rows of a pipeline, oldest job first."""
        blobs: list[str] = []
        wanted.page_size = JOBS_MAX
        more = True
        while more:
            page: Any = await self._services.answer(method_of(JOBS), wanted, token)
            noted = [job.stats[REJECTED] for job in page.jobs if job.stats.fields.get(REJECTED)]
            blobs += [str(blob) for blob in noted if blob]
            wanted.page_token = page.next_page_token
            # Zero lists the jobs of all pipelines.
            more = wanted.page_token != "" and wanted.pipeline_id != 0
        return blobs[::-1] if wanted.pipeline_id else ()

    async def _file(self, blob: str, tenant: str, name: str, kind: str, token: str) -> Response:
        return _answer(await self._begun(blob, tenant, token), name, kind)

    async def _begun(self, blob: str, tenant: str, token: str) -> AsyncGenerator[bytes]:
        """The chunks of a file whose first one is there. Raises Problem where none comes."""
        wanted = blobs_pb2.DownloadBlobRequest(blob=blob, tenant=tenant)
        call = self._services.stream(self._method, wanted, token)
        chunks = self._chunks(call)
        try:
            first = await anext(chunks, b"")
        except grpc.aio.AioRpcError as error:
            raise self._services.problem(self._method, error) from error
        return _all(first, chunks)

    async def _chunks(self, call: Any) -> AsyncGenerator[bytes]:
        try:
            async for message in call:
                self._metrics.bytes_down.inc(len(message.chunk))
                yield message.chunk
        finally:
            call.cancel()


def _answer(chunks: AsyncGenerator[bytes], name: str, kind: str) -> Response:
    # Without a length: a file that is found damaged at its end must not look whole.
    return StreamingResponse(
        chunks,
        media_type=kind,
        headers={"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"},
    )


async def _under_one_header(
    first: AsyncGenerator[bytes], others: Iterable[Awaitable[AsyncGenerator[bytes]]]
) -> AsyncGenerator[bytes]:
    """Files one after the other. Parts of one file have its header, which stands once above the
    rows of all; a file with another header keeps its own.
    """
    header = b""
    async with aclosing(first):
        async for chunk in first:
            header = header or chunk[: chunk.find(b"\n") + 1]
            yield chunk
    for other in others:
        begun, at_header = b"", True
        async with aclosing(await other) as chunks:
            async for chunk in chunks:
                begun += chunk
                if at_header and len(begun) < len(header):
                    continue
                yield begun.removeprefix(header) if at_header else begun
                begun, at_header = b"", False
        yield begun


async def _all(first: bytes, chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        yield first
        async for chunk in chunks:
            yield chunk
    finally:
        await chunks.aclose()
