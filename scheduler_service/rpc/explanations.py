"""Turns why a job does not run into messages of the contract."""

from collections.abc import Collection, Sequence

from carbonline.v1 import monitoring_pb2, types_pb2
from scheduler_service.jobs.explain import JobReason, explain, is_claimable
from scheduler_service.rpc import messages
from scheduler_service.store.reads.explain import HELD_SHOWN_MAX, Explained
from scheduler_service.store.reads.explain_rows import HeldChildRow

_KINDS = messages.numbers(monitoring_pb2.JobReasonKind, "JOB_REASON_KIND_")


def explanation(found: Explained, enabled: Collection[str]) -> monitoring_pb2.ExplainJobResponse:
    """The answer to an ExplainJob."""
    reasons = explain(found.facts, enabled)
    return monitoring_pb2.ExplainJobResponse(
        job=messages.job_summary(found.job),
        claimable=is_claimable(reasons),
        reasons=map(_reason, reasons),
        held_children=_held_children(found.held_children[:HELD_SHOWN_MAX]),
        has_more_held_children=len(found.held_children) > HELD_SHOWN_MAX,
    )


def _reason(reason: JobReason) -> monitoring_pb2.JobReason:
    return monitoring_pb2.JobReason(
        kind=_KINDS[reason.kind],
        blocks=reason.blocks,
        message=reason.message,
        advice=reason.advice,
        job_id=reason.job_id,
        worker_id=reason.worker_id,
        until=messages.timestamp(reason.until),
        jobs=reason.jobs,
    )


def _held_children(rows: Sequence[HeldChildRow]) -> list[monitoring_pb2.HeldChild]:
    return [
        monitoring_pb2.HeldChild(
            job_type=row.job_type,
            module=types_pb2.Module.ValueType(row.module),
            year=row.year,
            parent_job_id=row.parent_job_id,
            waits_for_job_ids=row.waits_for[:HELD_SHOWN_MAX],
            waits_for_more_jobs=len(row.waits_for) > HELD_SHOWN_MAX,
        )
        for row in rows
    ]
