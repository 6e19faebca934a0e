"""What is said at a pipeline's end, and what the exit code says with it."""

from pathlib import Path

import pytest

from carbonline.client.json_struct import struct_of, values_of
from carbonline.client.view import PipelineView
from carbonline.client.watch import Final, Snapshot
from carbonline.command.connection import Target
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import print_the_end
from carbonline.v1 import types_pb2

TARGET = Target(Path("elsewhere"), "", "", None, "")


def ended(status: types_pb2.PipelineStatus.ValueType, *jobs: types_pb2.Job) -> PipelineView:
    pipeline = types_pb2.Pipeline(pipeline_id=7, kind="csv_ingest", status=status)
    pipeline.scope.module, pipeline.scope.year = types_pb2.MODULE_PROFESSIONAL_TRAVEL, 2024
    pipeline.created_at.FromSeconds(100)
    pipeline.finished_at.FromSeconds(108)
    pipeline.has_error = any(job.error_cause for job in jobs)
    view = PipelineView()
    view.apply(Snapshot(pipeline, jobs))
    view.apply(Final(pipeline, "digest"))
    return view


def finished(job_id: int, result: types_pb2.JobResult.ValueType, **stats: object) -> types_pb2.Job:
    job = types_pb2.Job(job_id=job_id, job_type="csv_ingest", message="said")
    job.state, job.result = types_pb2.JOB_STATE_FINISHED, result
    job.error_cause = "no_valid_rows" if result == types_pb2.JOB_RESULT_ERROR else ""
    job.stats.CopyFrom(struct_of(stats))
    return job


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (types_pb2.PIPELINE_STATUS_SUCCESS, ExitCode.SUCCESS),
        (types_pb2.PIPELINE_STATUS_PARTIAL, ExitCode.PARTIAL),
        (types_pb2.PIPELINE_STATUS_FAILED, ExitCode.FAILED),
        (types_pb2.PIPELINE_STATUS_CANCELLED, ExitCode.CANCELLED),
        (types_pb2.PIPELINE_STATUS_RUNNING, ExitCode.DEFECT),
    ],
)
def test_every_end_has_its_exit_code(
    status: types_pb2.PipelineStatus.ValueType, code: ExitCode
) -> None:
    assert print_the_end(ended(status), TARGET) is code


def test_a_value_that_every_row_has_got_for_want_of_its_column_is_told_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = finished(1, types_pb2.JOB_RESULT_WARNING, defaults_used={"number_of_trips": "1"})
    print_the_end(ended(types_pb2.PIPELINE_STATUS_SUCCESS, job), TARGET)
    said = capsys.readouterr().out
    assert "Column not read: number_of_trips is 1 in each row." in said


def test_a_success_leads_to_its_totals(capsys: pytest.CaptureFixture[str]) -> None:
    job = finished(1, types_pb2.JOB_RESULT_SUCCESS)
    print_the_end(ended(types_pb2.PIPELINE_STATUS_SUCCESS, job), TARGET)
    said = capsys.readouterr().out
    assert "Pipeline 7 (csv_ingest professional_travel 2024): SUCCESS after 8.0 s." in said
    assert "totals --year 2024 --data-folder elsewhere" in said


def test_what_comes_next_for_one_unit_is_about_that_unit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = finished(1, types_pb2.JOB_RESULT_WARNING, outcomes={"unknown_place": 3})
    job.scope.year = 2024
    view = ended(types_pb2.PIPELINE_STATUS_SUCCESS, job)
    assert view.pipeline is not None
    view.pipeline.scope.unit = "a b"
    print_the_end(view, TARGET)
    said = capsys.readouterr().out
    for command in ("totals", "uncomputed"):
        assert f"{command} --year 2024 --unit 'a b' --data-folder elsewhere" in said


def test_an_error_is_said_with_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    job = finished(1, types_pb2.JOB_RESULT_ERROR)
    print_the_end(ended(types_pb2.PIPELINE_STATUS_FAILED, job), TARGET)
    said = capsys.readouterr().out
    assert 'csv_ingest: ERROR (no_valid_rows): "said"' in said
    assert "jobs 7" in said


def test_values_survive_the_wire() -> None:
    values = {"whole": 3, "half": 0.5, "no": None, "list": [1, {"a": True}], "text": "x"}
    assert values_of(struct_of(values)) == values


def test_what_json_does_not_know_becomes_text_or_null() -> None:
    struct = struct_of({"nan": float("nan"), "path": Path("a"), "nul": "a\x00b", "big": 2**60})
    assert values_of(struct) == {"nan": None, "path": "a", "nul": "a\ufffdb", "big": str(2**60)}
