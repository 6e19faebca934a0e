"""`carbonline watch` without a number: a line for each pipeline that changes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.watch import Interrupted
from carbonline.command.connection import Target
from carbonline.command.watch import _watch_all, line_of
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from carbonline.v1.operations_pb2_grpc import (
    OperationsServiceServicer,
    add_OperationsServiceServicer_to_server,
)
from carbonline.v1.scheduler_pb2_grpc import add_SchedulerServiceServicer_to_server
from tests.carbonline.command.scripted_watch import ScriptedWatch

ROWS = scheduler_pb2.PipelineRows
RUNNING, SUCCESS = types_pb2.PIPELINE_STATUS_RUNNING, types_pb2.PIPELINE_STATUS_SUCCESS
REFUSED, LOST = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE


def row(
    pipeline_id: int, status: types_pb2.PipelineStatus.ValueType = RUNNING
) -> types_pb2.Pipeline:
    found = types_pb2.Pipeline(
        pipeline_id=pipeline_id, status=status, kind="csv_ingest", total_jobs=3, finished_jobs=1
    )
    found.scope.year = 2024
    found.created_at.FromSeconds(100)
    if status == SUCCESS:
        found.finished_at.FromSeconds(200)
    return found


class EachHasEnded(OperationsServiceServicer):
    """Whatever is asked for has ended."""

    async def GetPipeline(  # noqa: N802  the contract's name
        self,
        request: operations_pb2.GetPipelineRequest,
        _context: "grpc.aio.ServicerContext[object, object]",
    ) -> operations_pb2.GetPipelineResponse:
        return operations_pb2.GetPipelineResponse(pipeline=row(request.pipeline_id, SUCCESS))


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedWatch]:
    served = ScriptedWatch()  # type: ignore[abstract]  # the rest is UNIMPLEMENTED
    server = grpc.aio.server()
    add_SchedulerServiceServicer_to_server(served, server)
    operations = EachHasEnded()  # type: ignore[abstract]  # the rest is UNIMPLEMENTED
    add_OperationsServiceServicer_to_server(operations, server)
    server.add_insecure_port(f"unix:{tmp_path}/s")
    await server.start()
    yield served
    await server.stop(0)


async def test_a_broken_watch_of_all_goes_on_until_it_is_refused(
    scripted: ScriptedWatch, tmp_path: Path
) -> None:
    scripted.lists = [[ROWS(first=True), LOST], [ROWS(first=True, pipelines=[row(1)]), REFUSED]]
    seen: list[scheduler_pb2.PipelineRows | Interrupted] = []
    async with ContractClient(f"unix:{tmp_path}/s", f"unix:{tmp_path}/s") as client:
        with pytest.raises(ServerError, match="as the script says"):
            await _rest_of(client, seen)
    assert [one for one in seen if isinstance(one, ROWS)] == [
        ROWS(first=True),
        ROWS(first=True, pipelines=[row(1)]),
    ]
    assert [type(one) for one in seen] == [ROWS, Interrupted, ROWS]


async def _rest_of(
    client: ContractClient, seen: list[scheduler_pb2.PipelineRows | Interrupted]
) -> None:
    async for one in client.watch_pipelines():
        # Kept also if the next one is a refusal.
        seen.append(one)  # noqa: PERF401


async def test_each_state_is_one_line_and_what_ended_in_a_break_is_told(
    scripted: ScriptedWatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted.lists = [
        [ROWS(first=True, more=True, pipelines=[row(1)]), ROWS(pipelines=[row(2)]), LOST],
        [LOST],
        [ROWS(first=True, pipelines=[row(2)]), ROWS(pipelines=[row(2, SUCCESS)]), REFUSED],
    ]
    target = Target(tmp_path, f"unix:{tmp_path}/s", f"unix:{tmp_path}/s", None, "")
    async with asyncio.timeout(20):
        with pytest.raises(ServerError):
            await _watch_all(target, 2024)
    said = capsys.readouterr()
    expected = [row(1), row(2), row(1, SUCCESS), row(2, SUCCESS)]
    assert said.out.splitlines() == [line_of(one) for one in expected]
    assert said.err == "The connection was lost. Trying again.\n"


@pytest.mark.parametrize("columns", [20, 40, 80])
async def test_a_wide_line_is_wrapped_between_words_in_a_terminal(
    scripted: ScriptedWatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    failed = row(7, types_pb2.PIPELINE_STATUS_FAILED)
    failed.message, failed.has_error = 8 * "of another university, ", True
    scripted.lists = [[ROWS(first=True, pipelines=[failed]), REFUSED]]
    target = Target(tmp_path, f"unix:{tmp_path}/s", f"unix:{tmp_path}/s", None, "")
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(ServerError):
        await _watch_all(target, 0)
    first, *others = capsys.readouterr().out.splitlines()
    assert max(map(len, (first, *others))) <= columns
    assert all(line.startswith("  ") for line in others)
    assert " ".join(" ".join((first, *others)).split()) == " ".join(line_of(failed).split())


def test_a_line_says_what_failed_in_short() -> None:
    failed = row(7, types_pb2.PIPELINE_STATUS_FAILED)
    failed.message, failed.has_error = "wrong\nfile " + 300 * "x", True
    line = line_of(failed)
    assert "FAILED 1 of 3  csv_ingest 2024: wrong" in line
    assert "\n" not in line
    assert len(line) < 300
