"""Names of the contract as people read them."""

from carbonline.command.names import job_word, module_numbers, scope_words, status_word, step_words
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
