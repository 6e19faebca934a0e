"""What a worker reads in the scheduler's answers."""

import grpc
import pytest

from carbonline.v1 import scheduler_pb2
from worker_service.mechanics.scheduler import FinishAnswer
from worker_service.scheduler_client.messages import REFUSALS, finish_answer


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
