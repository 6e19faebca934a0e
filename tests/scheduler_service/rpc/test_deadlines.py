"""A caller without patience harms nobody who came with it, and may ask again."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message

from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from tests.scheduler_service.rpc.conftest import Client

# In turn; what has no time at all is over before it is sent.
TIMEOUT_SECONDS = (0.0, 30.0, 0.001, 30.0)
CALLS = 12
UNARY = [
    method.name
    for method in pb.DESCRIPTOR.services_by_name["SchedulerService"].methods
    if not method.server_streaming
]
Request = Callable[[Client, pb.ClaimedJob], Message]


def submit(_client: Client, _job: pb.ClaimedJob) -> pb.SubmitRequest:
    return pb.SubmitRequest(request_id=str(uuid4()), job_type="noop")


def claim(_client: Client, _job: pb.ClaimedJob) -> pb.ClaimRequest:
    return pb.ClaimRequest(
        worker_id=str(uuid4()),
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )


def heartbeat(client: Client, job: pb.ClaimedJob) -> pb.HeartbeatRequest:
    beat = pb.ClaimBeat(job_id=job.job.job_id, claim_token=job.claim_token)
    return pb.HeartbeatRequest(worker_id=client.worker_id, beats=[beat])


def chain(client: Client, job: pb.ClaimedJob) -> pb.ChainRequest:
    child = pb.ChildSpec(child_key="k", job_type="noop")
    return pb.ChainRequest(
        worker_id=client.worker_id,
        job_id=job.job.job_id,
        claim_token=job.claim_token,
        children=[child],
    )


def release(client: Client, job: pb.ClaimedJob) -> pb.ReleaseRequest:
    back = pb.ClaimRelease(
        job_id=job.job.job_id, claim_token=job.claim_token, reason=pb.RELEASE_REASON_DRAIN
    )
    return pb.ReleaseRequest(worker_id=client.worker_id, releases=[back])


REQUESTS: dict[str, Request] = {
    "Submit": submit,
    "BatchSubmit": lambda c, j: pb.BatchSubmitRequest(requests=[submit(c, j), submit(c, j)]),
    "Claim": claim,
    "Heartbeat": heartbeat,
    "Chain": chain,
    "Finish": lambda c, j: c.ending(j),
    "BatchFinish": lambda c, j: pb.BatchFinishRequest(requests=[c.ending(j)]),
    "Release": release,
}


async def held_jobs(client: Client, count: int) -> list[pb.ClaimedJob]:
    batch = pb.BatchSubmitRequest(
        requests=[
            pb.SubmitRequest(request_id=str(uuid4()), job_type="noop") for _ in range(2 * count)
        ]
    )
    await client.scheduler.BatchSubmit(batch)
    return await client.claim("noop", max_jobs=count)


@pytest.mark.parametrize("method", UNARY)
async def test_a_deadline_of_a_millisecond_harms_no_neighbour(client: Client, method: str) -> None:
    jobs = await held_jobs(client, 2 * CALLS)
    requests = [REQUESTS[method](client, job) for job in jobs]
    call = getattr(client.scheduler, method)
    hasty, patient = requests[::2], requests[1::2]
    timeouts = itertools.cycle(TIMEOUT_SECONDS)
    tries = [call(request, timeout=next(timeouts)) for request in requests]
    codes = [await one.code() for one in tries]
    assert set(codes[1::2]) == {grpc.StatusCode.OK}
    # On a busy machine gRPC may look at its clock only when all answers are there.
    assert set(codes[::2]) <= {grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED}
    answers = [await one for one in tries[1::2]]
    # The hasty come again with time, and so do the patient: both hear the truth.
    repeated = await asyncio.gather(*(call(request) for request in hasty + patient))
    assert_consistent(method, answers, repeated[: len(hasty)], repeated[len(hasty) :])
    # Nothing was done twice.
    twice = "SELECT count(*) - count(DISTINCT (worker_id, job_id)) FROM scheduler.claims"
    assert await client.server.store.pool.fetchval(twice) == 0
    assert (await client.submit("noop", types_pb2.Scope())).job_id


def assert_consistent(
    method: str, answers: list[Any], hasty: list[Any], patient_again: list[Any]
) -> None:
    match method:
        case "Submit":
            ids = [answer.job_id for answer in hasty + answers]
            assert len(set(ids)) == 2 * CALLS
            assert [answer.job_id for answer in patient_again] == [a.job_id for a in answers]
            assert {a.disposition for a in patient_again} == {types_pb2.DISPOSITION_REPLAYED}
        case "BatchSubmit":
            ids = [one.response.job_id for a in hasty + answers for one in a.results]
            assert len(set(ids)) == 4 * CALLS
        case "Claim":
            tokens = [job.claim_token for a in hasty + answers for job in a.jobs]
            assert len(tokens) == len(set(tokens)) == 2 * CALLS
            assert [a.jobs[0].claim_token for a in patient_again] == [
                a.jobs[0].claim_token for a in answers
            ]
        case "Heartbeat":
            directives = {a.answers[0].directive for a in hasty + answers + patient_again}
            assert directives == {pb.CLAIM_DIRECTIVE_CONTINUE}
        case "Chain":
            assert {a.staged_children for a in hasty + answers + patient_again} == {1}
        case "Finish":
            assert all(answer.finished for answer in hasty + answers + patient_again)
        case "BatchFinish":
            ends = [a.results[0].response for a in hasty + answers + patient_again]
            assert all(end.finished for end in ends)
        case "Release":
            assert {tuple(a.released) for a in answers} == {(True,)}
            assert {tuple(a.released) for a in patient_again} == {(False,)}
        case _:
            raise AssertionError(method)
