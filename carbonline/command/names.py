"""The contract's enums as the words that people type and read."""

from collections.abc import Mapping, Sequence

from carbonline.command.safe_text import one_line
from carbonline.v1 import monitoring_pb2, types_pb2

# What the server's catalogue computes: a command that lacks its type may run without a server.
COMPUTED_TYPES = frozenset({"plane"})


def module_numbers() -> Mapping[str, int]:
    """Module numbers by name, such as "professional_travel", in the alphabet's order."""
    return dict(sorted(_numbers(types_pb2.Module.items(), "MODULE_").items()))


def type_numbers() -> Mapping[str, int]:
    """Data-entry type numbers by name, such as "plane", in the alphabet's order.

    Those that this release computes come first.
    """
    numbers = _numbers(types_pb2.DataEntryType.items(), "DATA_ENTRY_TYPE_")
    return {name: numbers[name] for name in sorted(numbers, key=_computed_first)}


def _computed_first(name: str) -> tuple[bool, str]:
    return name not in COMPUTED_TYPES, name


def module_name(number: int) -> str:
    """The name of a module's number; empty for none."""
    return _word(types_pb2.Module.items(), number, "MODULE_").lower()


def type_name(number: int) -> str:
    """The name of a data-entry type's number; empty for none."""
    return _word(types_pb2.DataEntryType.items(), number, "DATA_ENTRY_TYPE_").lower()


def status_word(pipeline: types_pb2.Pipeline) -> str:
    """SUCCESS, PARTIAL ...; "with warnings" is said of a success."""
    word = _word(types_pb2.PipelineStatus.items(), pipeline.status, "PIPELINE_STATUS_")
    return f"{word} with warnings" if word == "SUCCESS" and pipeline.has_warnings else word


def pipeline_status(pipeline: types_pb2.Pipeline) -> str:
    """success, partial ...: for programs."""
    return _word(types_pb2.PipelineStatus.items(), pipeline.status, "PIPELINE_STATUS_").lower()


def job_state(job: types_pb2.Job) -> str:
    """queued, running, finished ...: for programs."""
    return _word(types_pb2.JobState.items(), job.state, "JOB_STATE_").lower()


def job_result(job: types_pb2.Job) -> str:
    """success, warning ...; empty before the end: for programs."""
    return _word(types_pb2.JobResult.items(), job.result, "JOB_RESULT_").lower()


def job_word(job: types_pb2.Job) -> str:
    """QUEUED, RUNNING ..., and the result of a finished job instead of FINISHED."""
    if job.state == types_pb2.JOB_STATE_FINISHED:
        return _word(types_pb2.JobResult.items(), job.result, "JOB_RESULT_")
    return _word(types_pb2.JobState.items(), job.state, "JOB_STATE_")


def worker_word(state: int) -> str:
    """live, not ready, draining or lost."""
    return _word(types_pb2.WorkerState.items(), state, "WORKER_STATE_").lower().replace("_", " ")


def reason_word(kind: int) -> str:
    """not_due, older_jobs ...: why a job does not run."""
    return _word(monitoring_pb2.JobReasonKind.items(), kind, "JOB_REASON_KIND_").lower()


def scope_words(scope: types_pb2.Scope) -> str:
    """What a job is about, such as "professional_travel plane 2024"."""
    parts = [
        module_name(scope.module),
        type_name(scope.data_entry_type),
        str(scope.year or ""),
        scope.unit,
        scope.reference_kind,
    ]
    return one_line(" ".join(part for part in parts if part))


def about_words(scope: types_pb2.Scope) -> str:
    """The narrowest part of a scope beside year and unit: a type, a module or a kind."""
    return type_name(scope.data_entry_type) or module_name(scope.module) or scope.reference_kind


def step_words(job: types_pb2.Job) -> str:
    """A job's type and what it is about: short enough for a line of progress."""
    return one_line(f"{job.job_type} {about_words(job.scope)}".strip())


def _numbers(enum: Sequence[tuple[str, int]], prefix: str) -> Mapping[str, int]:
    return {name.removeprefix(prefix).lower(): number for name, number in enum if number}


def _word(enum: Sequence[tuple[str, int]], number: int, prefix: str) -> str:
    """An enum's name without its prefix, or the number if this build does not know it."""
    if number == 0:
        return ""
    names = {value: name for name, value in enum}
    return names.get(number, str(number)).removeprefix(prefix)
