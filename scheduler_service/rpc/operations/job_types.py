"""Which job types there are, and what each needs."""

from collections.abc import Collection
from typing import Any, TypeAlias

import grpc.aio

from carbonline.v1 import monitoring_pb2 as pb
from carbonline.v1 import operations_pb2_grpc
from scheduler_service.jobs.job_type_keys import ANY_PAYLOAD, PAYLOAD_KEYS, STATS
from scheduler_service.jobs.job_types import JOB_TYPES, SCOPE_PARTS, JobType

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class KnownJobTypes(operations_pb2_grpc.OperationsServiceServicer):
    """ListJobTypes."""

    job_types: Collection[str]

    async def ListJobTypes(
        self, request: pb.ListJobTypesRequest, context: Context
    ) -> pb.ListJobTypesResponse:
        found = [_job_type(row, enabled=row.name in self.job_types) for row in JOB_TYPES.values()]
        return pb.ListJobTypesResponse(job_types=found)


def _job_type(row: JobType, *, enabled: bool) -> pb.JobType:
    exclusive = row.exclusive
    return pb.JobType(
        job_type=row.name,
        enabled=enabled,
        scope_parts=[part for part in SCOPE_PARTS if part in row.needs],
        optional_scope_parts=[part for part in SCOPE_PARTS if part in row.takes],
        payload_keys=[
            pb.PayloadKey(
                name=key.name,
                meaning=key.meaning,
                required=key.required and not key.modes,
                values=key.values,
            )
            for key in PAYLOAD_KEYS.get(row.name, ())
        ],
        any_payload=row.name in ANY_PAYLOAD,
        stats=[pb.StatKey(name=name, meaning=means) for name, means in STATS[row.name].items()],
        child_types=sorted(row.children),
        attempts_max=row.attempts_max,
        needs_provisioned_year=row.needs_provisioned_year,
        coalesces=row.dedup is not None,
        may_be_scheduled=row.may_be_scheduled,
        exclusive=None
        if exclusive is None
        else pb.ExclusiveScope(family=exclusive.family, scope_parts=exclusive.scope_columns),
    )
