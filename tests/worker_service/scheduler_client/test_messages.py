"""What a worker reads in the scheduler's answers."""

import grpc
import pytest

from carbonline.v1 import scheduler_pb2
from worker_service.mechanics.held_claim import HeldClaim
from worker_service.mechanics.scheduler import FinishAnswer
from worker_service.scheduler_client.messages import REFUSALS, claimed_job, finish_answer


def item_of(code: grpc.StatusCode) -> scheduler_pb2.BatchFinishResult:
    error = scheduler_pb2.ItemError(code=code.value[0])
    return scheduler_pb2.BatchFinishResult(error=error)


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_a_finish_that_is_invalid_or_forbidden_is_refused(name: str) -> None:
    assert finish_answer(item_of(grpc.StatusCode[name])) is FinishAnswer.REFUSED


@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code.name not in REFUSALS | {"OK"}]
)
def test_a_finish_that_the_scheduler_failed_at_is_asked_again(code: grpc.StatusCode) -> None:
    assert finish_answer(item_of(code)) is None


@pytest.mark.parametrize(
    ("asked_for", "commit_before", "stop_at"), [(3, 17.0, 14.0), (0, 18.0, 16.0)]
)
def test_nothing_is_committed_in_the_margin_that_the_claim_asks_for(
    asked_for: int, commit_before: float, stop_at: float
) -> None:
    claimed = scheduler_pb2.ClaimedJob()
    claimed.lease.FromSeconds(20)
    claimed.commit_margin.FromSeconds(asked_for)
    held = HeldClaim(claimed_job(claimed), asked_at=0.0)
    # Where a scheduler of an earlier release asks for none, it is a tenth of the lease.
    assert (held.commit_before, held.stop_at) == (commit_before, stop_at)
