"""Names of the contract as people read them."""

import pytest

from carbonline.command.jobs import row_of
from carbonline.command.names import (
    job_word,
    message_words,
    module_numbers,
    scope_words,
    status_word,
    step_words,
)
from carbonline.v1 import types_pb2


def test_words_of_the_contract() -> None:
    scope = types_pb2.Scope(
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=2024,
    )
    job = types_pb2.Job(job_type="csv_ingest", scope=scope, state=types_pb2.JOB_STATE_FINISHED)
    job.result = types_pb2.JOB_RESULT_WARNING
    assert scope_words(scope) == "professional_travel plane 2024"
    assert step_words(job) == "csv_ingest plane"
    assert job_word(job) == "WARNING"
    assert module_numbers()["buildings"] == 3
    pipeline = types_pb2.Pipeline(status=types_pb2.PIPELINE_STATUS_SUCCESS, has_warnings=True)
    assert status_word(pipeline) == "SUCCESS with warnings"


@pytest.mark.parametrize(
    ("result", "message", "shown"),
    [
        (types_pb2.JOB_RESULT_ERROR, "Success", '"Success"'),
        (types_pb2.JOB_RESULT_ERROR, "", ""),
        (types_pb2.JOB_RESULT_SUCCESS, "3 rows", "3 rows"),
    ],
)
def test_the_message_of_a_failed_job_is_quoted_for_people_only(
    result: types_pb2.JobResult.ValueType, message: str, shown: str
) -> None:
    job = types_pb2.Job(state=types_pb2.JOB_STATE_FINISHED, result=result, message=message)
    assert message_words(job) == row_of(job)["said"] == shown
    assert row_of(job)["message"] == (message or None)
