"""The RPCs of carbonline.v1 that people's tools call, with deadlines and typed errors."""

import hashlib
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio

from carbonline.client.errors import FileDamaged, server_error
from carbonline.client.json_struct import struct_of
from carbonline.client.mapping_calls import MappingCalls
from carbonline.client.monitoring_calls import MonitoringCalls
from carbonline.client.operator_calls import OperatorCalls
from carbonline.client.schedule_calls import ScheduleCalls
from carbonline.client.upkeep_calls import UpkeepCalls
from carbonline.client.upload import Sent, answered_upload, ignore_sent, upload_messages
from carbonline.client.watch import Interrupted, WatchEvent, watch_events
from carbonline.client.watch_list import pipeline_rows
from carbonline.v1 import (
    blobs_pb2,
    emissions_pb2,
    ledger_pb2,
    operations_pb2,
    reference_pb2,
    scheduler_pb2,
    types_pb2,
)

FILE_SECONDS = 900.0
WATCH_PATIENCE_SECONDS = 60.0
JOBS_PER_PAGE = 500


class ContractClient(OperatorCalls, MappingCalls, MonitoringCalls, ScheduleCalls, UpkeepCalls):
    """Calls RPCs and returns the messages of the contract.

    Addresses are "unix:PATH" or "host:port", or several separated by commas; see `open_channel`.
    `tenant` may be empty if the caller has only one.
    Every method raises ServerError if the call is refused, Unreachable if it is not answered.
    """

    def scope(
        self,
        *,
        module: int = 0,
        data_entry_type: int = 0,
        year: int = 0,
        unit: str = "",
        reference_kind: str = "",
    ) -> types_pb2.Scope:
        """A scope of this client's tenant. `module` and `data_entry_type` are enum numbers."""
        return types_pb2.Scope(
            tenant=self.tenant,
            module=types_pb2.Module.ValueType(module),
            data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
            year=year,
            unit=unit,
            reference_kind=reference_kind,
        )

    async def submit(
        self,
        job_type: str,
        scope: types_pb2.Scope,
        payload: Mapping[str, Any] | None = None,
        *,
        request_id: str = "",
        validate_only: bool = False,
        priority: int | None = None,
    ) -> scheduler_pb2.SubmitResponse:
        """Submits a job, which begins a pipeline with all that follows it.

        Repeating the call with the same `request_id` makes no second pipeline. `validate_only`
        checks the request and makes none. `priority` goes from 0 (first) to 9 (last); None is 5.
        """
        request = scheduler_pb2.SubmitRequest(
            request_id=request_id or str(uuid.uuid4()),
            job_type=job_type,
            scope=scope,
            validate_only=validate_only,
            priority=priority,
        )
        if payload:
            request.payload.CopyFrom(struct_of(payload))
        return await self._ask_scheduler(self._scheduler.Submit, request)

    def watch(
        self,
        pipeline_id: int,
        *,
        after_version: int = 0,
        patience_seconds: float = WATCH_PATIENCE_SECONDS,
    ) -> AsyncIterator[WatchEvent]:
        """A pipeline's events until its end, over as many streams as it takes.

        Raises Unreachable if no server has answered for `patience_seconds`.
        """

        def open_stream(
            version: int, broken_off: scheduler_pb2.SnapshotPosition | None
        ) -> AsyncIterator[scheduler_pb2.WatchPipelineResponse]:
            request = scheduler_pb2.WatchPipelineRequest(
                tenant=self.tenant,
                pipeline_id=pipeline_id,
                after_version=version,
                broken_off=broken_off,
            )
            return aiter(self._scheduler.WatchPipeline(request, metadata=self._metadata))

        return watch_events(open_stream, self._at_scheduler, after_version, patience_seconds)

    def watch_pipelines(
        self,
        *,
        year: int = 0,
        ended_max: int = 0,
        patience_seconds: float = WATCH_PATIENCE_SECONDS,
    ) -> AsyncIterator[scheduler_pb2.PipelineRows | Interrupted]:
        """The rows of pipelines: those that are live and `ended_max` others, then what changes.

        Raises Unreachable if no server has answered for `patience_seconds`.
        """

        def open_stream() -> AsyncIterator[scheduler_pb2.WatchPipelinesResponse]:
            request = scheduler_pb2.WatchPipelinesRequest(
                tenant=self.tenant, year=year, ended_max=ended_max
            )
            return aiter(self._scheduler.WatchPipelines(request, metadata=self._metadata))

        return pipeline_rows(open_stream, self._at_scheduler, patience_seconds)

    async def get_pipeline(self, pipeline_id: int) -> operations_pb2.GetPipelineResponse:
        """A pipeline with its jobs, their edges and its timeline."""
        request = operations_pb2.GetPipelineRequest(tenant=self.tenant, pipeline_id=pipeline_id)
        return await self._ask_scheduler(self._operations.GetPipeline, request)

    async def list_pipelines(
        self, *, page_size: int = 50, page_token: str = "", **filters: Any
    ) -> operations_pb2.ListPipelinesResponse:
        """A page of pipelines, newest first. `filters` are fields of ListPipelinesRequest."""
        request = operations_pb2.ListPipelinesRequest(
            tenant=self.tenant, page_size=page_size, page_token=page_token, **filters
        )
        return await self._ask_scheduler(self._operations.ListPipelines, request)

    async def list_jobs(
        self,
        *,
        pipeline_id: int = 0,
        states: Sequence[types_pb2.JobState.ValueType] = (),
        job_types: Sequence[str] = (),
        parent_job_id: int = 0,
        page_size: int = 50,
        page_token: str = "",
    ) -> operations_pb2.ListJobsResponse:
        """A page of jobs: of one pipeline, newest first, or of all, newest pipelines first.

        With a `parent_job_id` only those that follow this job.
        """
        request = operations_pb2.ListJobsRequest(
            tenant=self.tenant,
            pipeline_id=pipeline_id,
            states=states,
            job_types=job_types,
            parent_job_id=parent_job_id,
            page_size=page_size,
            page_token=page_token,
        )
        return await self._ask_scheduler(self._operations.ListJobs, request)

    async def jobs_of_pipeline(self, pipeline_id: int) -> list[types_pb2.Job]:
        """Its own and joined jobs, oldest first, however many they are."""
        answer = await self.get_pipeline(pipeline_id)
        if not answer.has_more_jobs:
            return list(answer.jobs)
        jobs: list[types_pb2.Job] = []
        token, has_more = "", True
        while has_more:
            page = await self.list_jobs(
                pipeline_id=pipeline_id, page_size=JOBS_PER_PAGE, page_token=token
            )
            jobs += page.jobs
            token = page.next_page_token
            has_more = token != ""
        return jobs[::-1]

    async def cancel_pipeline(
        self, pipeline_id: int, reason: str
    ) -> operations_pb2.CancelPipelineResponse:
        """Cancels the jobs of a pipeline that have not ended."""
        request = operations_pb2.CancelPipelineRequest(
            tenant=self.tenant, pipeline_id=pipeline_id, reason=reason
        )
        return await self._ask_scheduler(self._operations.CancelPipeline, request)

    async def withdraw_upload(
        self,
        upload_id: int,
        *,
        module: int,
        data_entry_type: int,
        year: int,
        unit: str = "",
        request_id: str = "",
        validate_only: bool = False,
    ) -> operations_pb2.WithdrawUploadResponse:
        """Withdraws an upload, which begins a pipeline.

        A caller who may act for some units only must name the upload's `unit`.

        Repeating the call with the same `request_id` makes no second pipeline.
        """
        request = operations_pb2.WithdrawUploadRequest(
            tenant=self.tenant,
            upload_id=upload_id,
            module=types_pb2.Module.ValueType(module),
            data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
            year=year,
            unit=unit,
            request_id=request_id or str(uuid.uuid4()),
            validate_only=validate_only,
        )
        return await self._ask_scheduler(self._operations.WithdrawUpload, request)

    async def get_year(self, year: int) -> operations_pb2.GetYearResponse:
        """Whether a year is provisioned and locked, and how fresh its modules are."""
        request = operations_pb2.GetYearRequest(tenant=self.tenant, year=year)
        return await self._ask_scheduler(self._operations.GetYear, request)

    async def list_years(
        self, wanted: operations_pb2.ListYearsRequest
    ) -> operations_pb2.ListYearsResponse:
        """A page of years, newest first. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_scheduler(self._operations.ListYears, wanted)

    async def get_totals(
        self, year: int, *, module: int = 0, unit: str = "", below: bool = False, own: bool = False
    ) -> ledger_pb2.GetTotalsResponse:
        """Totals of a year by unit and module, and their sums; `below` adds units below `unit`,
        `own` leaves out others' instead of being refused.
        """
        request = ledger_pb2.GetTotalsRequest(
            tenant=self.tenant,
            year=year,
            module=types_pb2.Module.ValueType(module),
            unit=unit,
            with_units_below=below,
            leave_out_others=own,
        )
        return await self._ask_ledger(self._ledger.GetTotals, request)

    async def get_report(
        self, year: int, *, module: int = 0, unit: str = "", below: bool = False, own: bool = False
    ) -> ledger_pb2.GetReportResponse:
        """The report of a year: sums by unit, module, node and year, and what is missing.

        `below` adds all units below `unit`, `own` leaves out others' instead of being refused.
        """
        request = ledger_pb2.GetReportRequest(
            tenant=self.tenant,
            year=year,
            module=types_pb2.Module.ValueType(module),
            unit=unit,
            with_units_below=below,
            leave_out_others=own,
        )
        return await self._ask_ledger(self._ledger.GetReport, request)

    async def list_uncomputed(
        self, wanted: ledger_pb2.ListUncomputedRequest
    ) -> ledger_pb2.ListUncomputedResponse:
        """A page of entries without kilograms. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListUncomputed, wanted)

    async def list_emissions(
        self, wanted: emissions_pb2.ListEmissionsRequest
    ) -> emissions_pb2.ListEmissionsResponse:
        """A page of rows with their emissions. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListEmissions, wanted)

    async def list_uploads(
        self, wanted: ledger_pb2.ListUploadsRequest
    ) -> ledger_pb2.ListUploadsResponse:
        """A page of uploads, newest first. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListUploads, wanted)

    async def list_factors(
        self, wanted: reference_pb2.ListFactorsRequest
    ) -> reference_pb2.ListFactorsResponse:
        """A page of factors. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListFactors, wanted)

    async def list_locations(
        self, wanted: reference_pb2.ListLocationsRequest
    ) -> reference_pb2.ListLocationsResponse:
        """A page of places. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListLocations, wanted)

    async def list_reference_rows(
        self, wanted: reference_pb2.ListReferenceRowsRequest
    ) -> reference_pb2.ListReferenceRowsResponse:
        """A page of rows of one kind of reference data. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListReferenceRows, wanted)

    async def list_units(
        self, wanted: reference_pb2.ListUnitsRequest
    ) -> reference_pb2.ListUnitsResponse:
        """A page of units. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListUnits, wanted)

    async def list_modules(self) -> ledger_pb2.ListModulesResponse:
        """The catalogue: modules, data-entry types, columns, templates."""
        return await self._ask_ledger(self._ledger.ListModules, ledger_pb2.ListModulesRequest())

    async def upload_blob(
        self,
        source: Path | AsyncIterable[bytes],
        scope: types_pb2.Scope,
        file_name: str = "",
        sent: Sent = ignore_sent,
    ) -> blobs_pb2.UploadBlobResponse:
        """Uploads a file. The answer has its reference, for the payload of Submit.

        The same bytes give the same reference. `sent` is called with the number of bytes sent so
        far. Raises OSError if the file cannot be read.
        """
        name = file_name or (source.name if isinstance(source, Path) else "")
        if isinstance(source, Path):
            # Raise for an unreadable file before calling a server.
            source.open("rb").close()
        messages = upload_messages(source, scope, name, sent)
        send = partial(self._blobs.UploadBlob, timeout=FILE_SECONDS, metadata=self._metadata)
        return await answered_upload(send, messages, self._at_ledger, FILE_SECONDS)

    async def stat_blob(self, blob: str) -> blobs_pb2.StatBlobResponse:
        """What is known of a file. Its refusal has the reason BLOB_NOT_FOUND if there is none."""
        request = blobs_pb2.StatBlobRequest(tenant=self.tenant, blob=blob)
        return await self._ask_ledger(self._blobs.StatBlob, request)

    async def download_blob(self, blob: str) -> AsyncIterator[bytes]:
        """The bytes of a file, in chunks.

        Raises FileDamaged after the last one if they are not those that the reference is of.
        """
        request = blobs_pb2.DownloadBlobRequest(tenant=self.tenant, blob=blob)
        digest = hashlib.sha256()
        call = self._blobs.DownloadBlob(request, timeout=FILE_SECONDS, metadata=self._metadata)
        try:
            async for message in call:
                digest.update(message.chunk)
                yield message.chunk
        except grpc.aio.AioRpcError as error:
            raise server_error(error, self._at_ledger, FILE_SECONDS) from None
        if not blob.endswith(digest.hexdigest()):
            raise FileDamaged(
                f"The bytes that came are not those of {blob}: discard them, and ask again."
            )
