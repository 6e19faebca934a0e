"""No RPC repeats to who has a unit what a job of the whole module says of its rows."""

from typing import Any
from uuid import uuid4

import pytest

from carbonline.client.json_struct import struct_of
from carbonline.serving.auth.principals import Principal
from carbonline.serving.errors import RpcError
from carbonline.v1 import operations_pb2, types_pb2
from carbonline.v1 import scheduler_pb2 as pb
from scheduler_service.rpc.check_submit import check_submit
from tests.carbonline.serving.crossings import OWN, Asked, Caller, outcome_of
from tests.scheduler_service.rpc.test_crossings import OPERATOR, Site, site
from tests.scheduler_service.rpc.test_odd_requests import GOOD, METHODS

__all__ = ["site"]
SAID = "Elena Rossi flew to Rome"
TELL = frozenset({"ExplainJob", "GetJob", "GetPipeline", "ListJobs"})
# What ends the job is asked last. A repeated submission must be the same caller's.
ASKED = sorted(
    (name for name in METHODS if not hasattr(GOOD[name][0], "request_id")),
    key=lambda method: method in {"RecoverJob", "CancelPipeline"},
)
WITH_THE_UNIT = (
    Caller("operator", OWN, "the unit"),
    Caller("auditor", OWN, "the unit of the module"),
)
Held = dict[str, Any]


async def claimed(site: Site, job_type: str) -> Held:
    claim = pb.ClaimRequest(
        worker_id=str(uuid4()),
        request_id=str(uuid4()),
        job_types=[job_type],
        max_jobs=1,
        build_id="test",
    )
    [job] = (await site.scheduler.Claim(claim, metadata=OPERATOR.metadata)).jobs
    return {"worker_id": claim.worker_id, "job_id": job.job.job_id, "claim_token": job.claim_token}


async def caused(site: Site) -> Held:
    """The recalculation of the module that the unit's upload causes."""
    held = await claimed(site, "csv_ingest")
    done = pb.FinishRequest(
        **held, result=types_pb2.JOB_RESULT_SUCCESS, written=types_pb2.WRITTEN_UNKNOWN
    )
    await site.scheduler.Finish(done, metadata=OPERATOR.metadata)
    return await claimed(site, "emission_recalc")


async def reports(site: Site, held: Held) -> None:
    beat = pb.ClaimBeat(
        job_id=held["job_id"],
        claim_token=held["claim_token"],
        progress=types_pb2.Progress(done=1, phase="compute", message=SAID),
    )
    wanted = pb.HeartbeatRequest(worker_id=held["worker_id"], beats=[beat])
    await site.scheduler.Heartbeat(wanted, metadata=OPERATOR.metadata)


async def fails_for_now(site: Site, held: Held) -> None:
    release = pb.ClaimRelease(
        job_id=held["job_id"],
        claim_token=held["claim_token"],
        reason=pb.RELEASE_REASON_RETRY_LATER,
        message=SAID,
    )
    wanted = pb.ReleaseRequest(worker_id=held["worker_id"], releases=[release])
    await site.scheduler.Release(wanted, metadata=OPERATOR.metadata)


async def ends(site: Site, held: Held) -> None:
    ending = pb.FinishRequest(
        **held,
        result=types_pb2.JOB_RESULT_ERROR,
        message=SAID,
        error_cause="broken",
        stats=struct_of({"who": SAID}),
        written=types_pb2.WRITTEN_UNKNOWN,
    )
    await site.scheduler.Finish(ending, metadata=OPERATOR.metadata)


@pytest.mark.parametrize("happens", [reports, fails_for_now, ends])
async def test_what_a_wider_job_says_is_not_repeated(site: Site, happens: Any) -> None:
    held = await caused(site)
    await happens(site, held)
    told, of_the_unit = set(), site.job_id
    for method in ASKED:
        for site.job_id in (of_the_unit, held["job_id"]):
            for caller in (*WITH_THE_UNIT, OPERATOR):
                asked = site.asked(method)
                if method == "ListJobs":
                    every = operations_pb2.ListJobsRequest(pipeline_id=site.pipeline_id)
                    asked = Asked([every.SerializeToString()])
                _, data = await outcome_of(site.channel, METHODS[method], asked, caller)
                if SAID.encode() in data:
                    told.add((method, caller.name))
    assert {name for _, name in told} <= {OPERATOR.name}, told
    # Who may see it is told.
    assert {method for method, _ in told} >= TELL


async def test_the_timeline_of_ones_own_jobs_is_whole(site: Site) -> None:
    held = await claimed(site, "csv_ingest")
    await ends(site, held)
    asked = site.asked("GetPipeline")
    seen = []
    for caller in (WITH_THE_UNIT[0], OPERATOR):
        _, data = await outcome_of(site.channel, METHODS["GetPipeline"], asked, caller)
        timeline = operations_pb2.GetPipelineResponse.FromString(data).timeline
        seen.append([(event.event, event.detail) for event in timeline])
    assert seen[0] == seen[1]
    assert ("finished", f'ERROR "{SAID}"') in seen[0]


async def test_of_a_wider_job_the_timeline_says_type_and_result(site: Site) -> None:
    held = await caused(site)
    await fails_for_now(site, held)
    site.job_id = held["job_id"]
    _, data = await outcome_of(
        site.channel, METHODS["GetJob"], site.asked("GetJob"), WITH_THE_UNIT[0]
    )
    events = operations_pb2.GetJobResponse.FromString(data).timeline
    said = {event.event: event.detail for event in events}
    assert (said["created"], said["retry_later"]) == ("emission_recalc", "")


TRAVEL = types_pb2.MODULE_PROFESSIONAL_TRAVEL
PLANE = types_pb2.Scope(module=TRAVEL, data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE, year=2024)


@pytest.mark.parametrize(
    ("job_type", "scope", "limits", "said"),
    [
        (
            "emission_recalc",
            PLANE,
            {"units": frozenset({"0828"})},
            "the units 0828 only, and emission_recalc is about all units: ask somebody",
        ),
        (
            "unit_sync",
            types_pb2.Scope(year=2024),
            {"units": frozenset({"0828"}), "modules": frozenset({TRAVEL})},
            "the units 0828 only, and unit_sync is about all modules and all units: ask somebody",
        ),
        ("csv_ingest", PLANE, {"units": frozenset({"0828"})}, "the units 0828 only: name one of"),
    ],
)
def test_who_is_limited_is_told_whether_to_name_a_unit_or_to_ask_others(
    job_type: str, scope: types_pb2.Scope, limits: dict[str, Any], said: str
) -> None:
    caller = Principal("ada", ("north",), frozenset({"gateway"}), **limits)
    request = pb.SubmitRequest(request_id=str(uuid4()), job_type=job_type, scope=scope)
    request.payload.update({"blob": "blob:sha256:" + 64 * "0"} if "recalc" not in job_type else {})
    with pytest.raises(RpcError) as refused:
        check_submit(request, caller, [job_type])
    assert refused.value.reason == "PERMISSION_DENIED"
    assert said in refused.value.message
