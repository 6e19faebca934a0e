"""Names of the contract's enums, for people and programs."""

from collections.abc import Mapping, Sequence

from carbonline.command.safe_text import one_line
from carbonline.unseen import unseen_written_out
from carbonline.v1 import monitoring_pb2, types_pb2

# Kinds of reference data, each with files of its own.
FILE_KINDS_OF_REFERENCES: Sequence[str] = sorted(
    {
        kind
        for one in types_pb2.DataEntryType.DESCRIPTOR.values
        for kind in one.GetOptions().Extensions[types_pb2.reads_reference]
    }
)
# Kinds of reference data that are lists of rows with keys. Places have commands of their own.
REFERENCE_KINDS: Sequence[str] = sorted(
    kind for kind in FILE_KINDS_OF_REFERENCES if kind != "locations"
)


def module_numbers() -> Mapping[str, int]:
    """Module numbers by name, such as "professional_travel", in alphabetical order."""
    return dict(sorted(_numbers(types_pb2.Module.items(), "MODULE_").items()))


def type_numbers() -> Mapping[str, int]:
    """Data-entry type numbers by name, such as "plane", in alphabetical order."""
    return dict(sorted(_numbers(types_pb2.DataEntryType.items(), "DATA_ENTRY_TYPE_").items()))


def module_name(number: int) -> str:
    """The name of a module; "" for 0."""
    return _word(types_pb2.Module.items(), number, "MODULE_").lower()


def type_name(number: int) -> str:
    """The name of a data-entry type; "" for 0."""
    return _word(types_pb2.DataEntryType.items(), number, "DATA_ENTRY_TYPE_").lower()


def status_word(pipeline: types_pb2.Pipeline) -> str:
    """A pipeline's status for people, such as PARTIAL or "SUCCESS with warnings"."""
    word = _word(types_pb2.PipelineStatus.items(), pipeline.status, "PIPELINE_STATUS_")
    return f"{word} with warnings" if word == "SUCCESS" and pipeline.has_warnings else word


def pipeline_status_word(number: int) -> str:
    """The name of a status, such as RUNNING; "" for none."""
    return _word(types_pb2.PipelineStatus.items(), number, "PIPELINE_STATUS_")


def pipeline_status(pipeline: types_pb2.Pipeline) -> str:
    """A pipeline's status for programs, such as "partial"."""
    return _word(types_pb2.PipelineStatus.items(), pipeline.status, "PIPELINE_STATUS_").lower()


def job_state(job: types_pb2.Job) -> str:
    """A job's state for programs, such as "queued"."""
    return _word(types_pb2.JobState.items(), job.state, "JOB_STATE_").lower()


def job_result(job: types_pb2.Job) -> str:
    """A job's result for programs, such as "warning"; "" until it ends."""
    return _word(types_pb2.JobResult.items(), job.result, "JOB_RESULT_").lower()


def job_word(job: types_pb2.Job) -> str:
    """A job's state for people, such as RUNNING. A finished job has its result instead."""
    if job.state == types_pb2.JOB_STATE_FINISHED:
        return _word(types_pb2.JobResult.items(), job.result, "JOB_RESULT_")
    return _word(types_pb2.JobState.items(), job.state, "JOB_STATE_")


def message_words(job: types_pb2.Job) -> str:
    """A job's message for people. That of a failed job is quoted: whatever it says, "Success" for
    one, the job has failed.
    """
    failed = job.result == types_pb2.JOB_RESULT_ERROR
    return f'"{job.message}"' if failed and job.message else job.message


def worker_word(state: int) -> str:
    """A worker's state: "live", "not ready", "draining" or "lost"."""
    return _word(types_pb2.WorkerState.items(), state, "WORKER_STATE_").lower().replace("_", " ")


def reason_word(kind: int) -> str:
    """The name of a reason why a job does not run, such as "not_due" or "older_jobs"."""
    return _word(monitoring_pb2.JobReasonKind.items(), kind, "JOB_REASON_KIND_").lower()


def stale_word(reason: int) -> str:
    """no_aggregation_ever, last_aggregation_failed ...: why totals are stale."""
    return _word(monitoring_pb2.StaleReason.items(), reason, "STALE_REASON_").lower()


def scope_words(scope: types_pb2.Scope) -> str:
    """A scope as words, such as "professional_travel plane 2024"."""
    parts = [
        module_name(scope.module),
        type_name(scope.data_entry_type),
        str(scope.year or ""),
        unseen_written_out(scope.unit),
        scope.reference_kind,
    ]
    return one_line(" ".join(part for part in parts if part))


def about_words(scope: types_pb2.Scope) -> str:
    """The type, module or kind of a scope: the narrowest that it has."""
    return type_name(scope.data_entry_type) or module_name(scope.module) or scope.reference_kind


def step_words(job: types_pb2.Job) -> str:
    """A job's type and what it is about, short enough for a progress line."""
    return one_line(f"{job.job_type} {about_words(job.scope)}".strip())


def _numbers(enum: Sequence[tuple[str, int]], prefix: str) -> Mapping[str, int]:
    return {name.removeprefix(prefix).lower(): number for name, number in enum if number}


def _word(enum: Sequence[tuple[str, int]], number: int, prefix: str) -> str:
    """An enum's name without its prefix, or the number if this build does not know it."""
    if number == 0:
        return ""
    names = {value: name for name, value in enum}
    return names.get(number, str(number)).removeprefix(prefix)
