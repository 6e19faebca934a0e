"""Every RPC of the scheduler x every kind of caller: who is answered, denied, and shown what."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.json_struct import struct_of
from carbonline.serving.logs import _log_to
from carbonline.v1 import monitoring_pb2 as monitoring
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import scheduler_pb2_grpc, types_pb2
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.crossings import (
    CALLERS,
    HEADCOUNT,
    LIMITS,
    OWN,
    TRAVEL,
    UNIT,
    Asked,
    ByName,
    Caller,
    Outcome,
    denials_in,
    expected,
    outcome_of,
    scopes_in,
)
from tests.scheduler_service.rpc.conftest import BLOB
from tests.scheduler_service.rpc.test_odd_requests import GOOD, METHODS

OPERATOR = Caller("operator", OWN, "everything")
YEAR = 2024
PLANE, MEMBER = types_pb2.DATA_ENTRY_TYPE_PLANE, types_pb2.DATA_ENTRY_TYPE_MEMBER
# Their messages say nothing of the tenant, and answer for each claim, or for whatever is one's own.
OF_NOBODY = {
    "Claim",
    "Heartbeat",
    "Release",
    "ListWorkers",
    "DrainWorker",
    "ListJobTypes",
    "GetCaller",
}
BY_ITEM: dict[str, Any] = {
    "BatchSubmit": pb.BatchSubmitResponse,
    "BatchFinish": pb.BatchFinishResponse,
}


@dataclass
class Site:
    """A scheduler with a pipeline of UNIT in TRAVEL."""

    channel: grpc.aio.Channel
    scheduler: Any
    logged: io.StringIO
    pipeline_id: int = 0
    job_id: int = 0

    async def submit(self, job_type: str, **scope: Any) -> pb.SubmitResponse:
        request = submission(job_type, types_pb2.Scope(tenant=OWN, **scope))
        answer: pb.SubmitResponse = await self.scheduler.Submit(request, metadata=OPERATOR.metadata)
        return answer

    async def provision(self) -> None:
        await self.submit("unit_sync", year=YEAR)
        claim = pb.ClaimRequest(
            worker_id=str(uuid4()),
            request_id=str(uuid4()),
            job_types=["unit_sync"],
            max_jobs=1,
            build_id="test",
        )
        [job] = (await self.scheduler.Claim(claim, metadata=OPERATOR.metadata)).jobs
        ending = pb.FinishRequest(
            worker_id=claim.worker_id,
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            result=types_pb2.JOB_RESULT_SUCCESS,
            written=types_pb2.WRITTEN_NOTHING,
        )
        await self.scheduler.Finish(ending, metadata=OPERATOR.metadata)

    def asked(self, method: str) -> Asked:
        """A good request about the tenant's own, as narrow as its fields allow."""
        request: Any = type(GOOD[method][-1])()
        request.CopyFrom(GOOD[method][-1])
        fields = request.DESCRIPTOR.fields_by_name
        for name, value in {"pipeline_id": self.pipeline_id, "job_id": self.job_id}.items():
            if name in fields:
                setattr(request, name, value)
        for item in getattr(request, "requests", ()):
            if method == "BatchFinish":
                item.job_id = self.job_id
        if method == "Submit":
            request = submission()
        if method == "BatchSubmit":
            request = pb.BatchSubmitRequest(requests=[submission(), submission()])
        if "tenant" in fields:
            request.tenant = OWN
        if method == "CreateSchedule":
            request.scope.tenant = OWN
        if method == "WithdrawUpload":
            request.unit = UNIT
        return Asked(
            [request.SerializeToString()],
            (TRAVEL, UNIT),
            names_own=method not in OF_NOBODY,
            names_row=method == "ListJobs",
        )


def submission(
    job_type: str = "csv_ingest", scope: types_pb2.Scope | None = None
) -> pb.SubmitRequest:
    travel = types_pb2.Scope(tenant=OWN, module=TRAVEL, data_entry_type=PLANE, year=YEAR, unit=UNIT)
    return pb.SubmitRequest(
        request_id=str(uuid4()),
        job_type=job_type,
        scope=scope or travel,
        payload=struct_of({"blob": BLOB}),
    )


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    logged = io.StringIO()
    async with (
        running_server(settings, _log_to(logged, "warning"), ByName()),
        grpc.aio.insecure_channel(settings.address) as channel,
    ):
        site = Site(channel, scheduler_pb2_grpc.SchedulerServiceStub(channel), logged)
        await site.provision()
        submitted = await site.submit(
            "csv_ingest", module=TRAVEL, data_entry_type=PLANE, year=YEAR, unit=UNIT
        )
        site.pipeline_id, site.job_id = submitted.pipeline_id, submitted.job_id
        yield site


async def outcome(site: Site, method: str, caller: Caller) -> Outcome:
    found, answer = await outcome_of(site.channel, METHODS[method], site.asked(method), caller)
    if method in BY_ITEM and found == "answered":
        results = BY_ITEM[method].FromString(answer).results
        assert len({one.error.reason for one in results}) == 1
        if results[0].error.reason in {"PERMISSION_DENIED", "OTHER_TENANT"}:
            return "denied"
        assert results[0].error.reason not in {"FIELD_INVALID", "JOB_NOT_FOUND"}
    return found


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_every_rpc_answers_or_denies_every_kind_of_caller(site: Site, method: str) -> None:
    answers = {one.name: await outcome(site, method, one) for one in CALLERS}
    wanted = {one.name: expected(METHODS[method], site.asked(method), one) for one in CALLERS}
    assert answers == wanted
    # An item of a batch that the store refuses is an answer of the batch.
    if method not in BY_ITEM:
        denied = [(name, method) for name, found in answers.items() if found != "answered"]
        assert denials_in(site.logged) == sorted(denied)


LISTS: dict[str, Any] = {
    "ListPipelines": ops.ListPipelinesRequest(),
    "ListJobs": ops.ListJobsRequest(),
    "ListActivePipelines": GOOD["ListActivePipelines"][0],
    "ListSlots": GOOD["ListSlots"][0],
    "WatchPipelines": pb.WatchPipelinesRequest(),
}
ANSWERS: dict[str, Any] = {
    "ListPipelines": ops.ListPipelinesResponse,
    "ListJobs": ops.ListJobsResponse,
    "ListActivePipelines": monitoring.ListActivePipelinesResponse,
    "ListSlots": monitoring.ListSlotsResponse,
    "WatchPipelines": pb.WatchPipelinesResponse,
}


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("method", LISTS)
async def test_a_list_tells_of_the_callers_modules_and_units_only(
    site: Site, method: str, limits: str
) -> None:
    for unit in (UNIT, "0900", ""):
        await site.submit("csv_ingest", module=TRAVEL, data_entry_type=PLANE, year=YEAR, unit=unit)
        await site.submit(
            "csv_ingest", module=HEADCOUNT, data_entry_type=MEMBER, year=YEAR, unit=unit
        )
    await site.submit("unit_sync", year=YEAR)
    caller = Caller("gateway", OWN, limits)
    request = LISTS[method]
    answers = {
        one.name: (await outcome_of(site.channel, METHODS[method], of(request), one))[1]
        for one in (caller, OPERATOR)
    }
    answer = ANSWERS[method]
    found = {name: answer.FromString(data) for name, data in answers.items()}
    everything = list(scopes_in(found[OPERATOR.name]))
    seen = list(scopes_in(found[caller.name]))
    covers = caller.principal.covers
    assert all(covers(one.module, one.unit) for one in seen)
    assert everything
    # Of each module it tells the newest, which is the newest of the caller's own.
    if method != "ListActivePipelines":
        assert len(seen) == sum(covers(one.module, one.unit) for one in everything)


@pytest.mark.parametrize("limits", LIMITS)
async def test_the_newest_active_pipeline_is_the_callers_own_however_new_others_are(
    site: Site, limits: str
) -> None:
    for unit in ("0900", ""):
        await site.submit("csv_ingest", module=TRAVEL, data_entry_type=PLANE, year=YEAR, unit=unit)
    caller = Caller("gateway", OWN, limits)
    listed = of(ops.ListPipelinesRequest(statuses=[types_pb2.PIPELINE_STATUS_NOT_STARTED]))
    _, data = await outcome_of(site.channel, METHODS["ListPipelines"], listed, caller)
    own = [one.pipeline_id for one in ops.ListPipelinesResponse.FromString(data).pipelines]
    request = of(LISTS["ListActivePipelines"])
    _, data = await outcome_of(site.channel, METHODS["ListActivePipelines"], request, caller)
    answer = monitoring.ListActivePipelinesResponse.FromString(data)
    assert [one.active.pipeline_id for one in answer.modules] == own[:1]


def of(request: Any) -> Asked:
    return Asked([request.SerializeToString()])


async def test_a_pipelines_wider_jobs_show_state_and_no_details(site: Site) -> None:
    claim = pb.ClaimRequest(
        worker_id=str(uuid4()),
        request_id=str(uuid4()),
        job_types=["csv_ingest", "emission_recalc"],
        max_jobs=1,
        build_id="test",
    )
    for _ in range(2):
        claim.request_id = str(uuid4())
        [job] = (await site.scheduler.Claim(claim, metadata=OPERATOR.metadata)).jobs
        ending = pb.FinishRequest(
            worker_id=claim.worker_id,
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            result=types_pb2.JOB_RESULT_SUCCESS,
            message=f"of {job.job.job_type}",
            stats=struct_of({"rows": 7}),
            written=types_pb2.WRITTEN_UNKNOWN,
        )
        await site.scheduler.Finish(ending, metadata=OPERATOR.metadata)
    shown = {}
    for limits in ("everything", "the unit"):
        caller = Caller("gateway", OWN, limits)
        for method in ("GetPipeline", "WatchPipeline"):
            _, data = await outcome_of(site.channel, METHODS[method], site.asked(method), caller)
            if method == "GetPipeline":
                jobs = ops.GetPipelineResponse.FromString(data).jobs
            else:
                jobs = pb.WatchPipelineResponse.FromString(data).snapshot.jobs
            shown[limits, method] = {
                one.job_type: (bool(one.message), bool(one.stats.fields), one.result)
                for one in jobs
                if one.result
            }
    full, empty = (True, True, types_pb2.JOB_RESULT_SUCCESS), (False, False, 1)
    for method in ("GetPipeline", "WatchPipeline"):
        assert shown["everything", method] == {"csv_ingest": full, "emission_recalc": full}
        assert shown["the unit", method] == {"csv_ingest": full, "emission_recalc": empty}


async def test_the_message_of_a_wider_job_is_not_told_to_who_has_a_unit(site: Site) -> None:
    claim = pb.ClaimRequest(
        worker_id=str(uuid4()),
        request_id=str(uuid4()),
        job_types=["csv_ingest"],
        max_jobs=1,
        build_id="test",
    )
    for job_type, result in (
        ("csv_ingest", types_pb2.JOB_RESULT_SUCCESS),
        ("emission_recalc", types_pb2.JOB_RESULT_ERROR),
    ):
        claim.request_id, claim.job_types[0] = str(uuid4()), job_type
        [job] = (await site.scheduler.Claim(claim, metadata=OPERATOR.metadata)).jobs
        ending = pb.FinishRequest(
            worker_id=claim.worker_id,
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            result=result,
            message=f"of {job_type}",
            error_cause="broken" if result == types_pb2.JOB_RESULT_ERROR else "",
            written=types_pb2.WRITTEN_UNKNOWN,
        )
        await site.scheduler.Finish(ending, metadata=OPERATOR.metadata)
        wider = job_type != "csv_ingest"
        for limits in ("everything", "the unit"):
            told = await _messages(site, Caller("gateway", OWN, limits))
            expected = "" if wider and limits == "the unit" else f"of {job_type}"
            assert told == dict.fromkeys(told, expected)


async def _messages(site: Site, caller: Caller) -> dict[str, str]:
    """What each RPC says that the pipeline has come to."""
    _, got = await outcome_of(
        site.channel, METHODS["GetPipeline"], site.asked("GetPipeline"), caller
    )
    _, seen = await outcome_of(
        site.channel, METHODS["WatchPipeline"], site.asked("WatchPipeline"), caller
    )
    wanted = ops.ListPipelinesRequest(kind="csv_ingest")
    _, listed = await outcome_of(site.channel, METHODS["ListPipelines"], of(wanted), caller)
    _, watched = await outcome_of(
        site.channel, METHODS["WatchPipelines"], of(pb.WatchPipelinesRequest()), caller
    )
    (row,) = (
        one
        for one in pb.WatchPipelinesResponse.FromString(watched).rows.pipelines
        if one.kind == "csv_ingest"
    )
    return {
        "WatchPipelines": row.message,
        "GetPipeline": ops.GetPipelineResponse.FromString(got).pipeline.message,
        "WatchPipeline": pb.WatchPipelineResponse.FromString(seen).snapshot.pipeline.message,
        "List": ops.ListPipelinesResponse.FromString(listed).pipelines[0].message,
    }


@pytest.mark.parametrize("limits", LIMITS)
async def test_statuses_are_counted_of_the_callers_modules_and_units_only(
    site: Site, limits: str
) -> None:
    for unit in ("0900", ""):
        await site.submit("csv_ingest", module=TRAVEL, data_entry_type=PLANE, year=YEAR, unit=unit)
    request = of(ops.ListPipelinesRequest(page_size=500, with_status_counts=True))
    caller = Caller("gateway", OWN, limits)
    _, data = await outcome_of(site.channel, METHODS["ListPipelines"], request, caller)
    answer = ops.ListPipelinesResponse.FromString(data)
    counted = answer.status_counts
    assert counted.not_started + counted.success == len(answer.pipelines)
