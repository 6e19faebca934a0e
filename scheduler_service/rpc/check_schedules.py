"""Checks requests about schedules, and turns them into values of the store."""

import re
from collections.abc import Collection
from dataclasses import replace

from carbonline.serving.auth.principals import Principal
from carbonline.v1 import schedules_pb2, types_pb2
from scheduler_service.jobs.job_type_keys import PAYLOAD_KEYS, SIGNED, SIGNED_BY
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Json
from scheduler_service.jobs.schedules import JITTER_SECONDS, JITTER_SECONDS_MAX, ScheduleWanted
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.ticks import fault_of_cron, fault_of_time_zone
from scheduler_service.rpc.check_payload import check_payload
from scheduler_service.rpc.check_submit import PRIORITY_DEFAULT, PRIORITY_MAX
from scheduler_service.rpc.fields import Fields

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
# Any: the year of a tick is not known before it comes.
_SOME_YEAR = 2000


def check_create(
    request: schedules_pb2.CreateScheduleRequest, principal: Principal, enabled: Collection[str]
) -> ScheduleWanted:
    """The schedule of a CreateSchedule. Raises RpcError FIELD_INVALID with every wrong field.

    `enabled` are the job types that may be submitted.
    """
    fields = Fields()
    name = check_name(fields, request.name)
    cron = fields.text("cron", request.cron, 255)
    if fault := fault_of_cron(cron):
        fields.fail("cron", fault)
    time_zone = request.time_zone or "UTC"
    if fault := fault_of_time_zone(time_zone):
        fields.fail("time_zone", fault)
    may_tick = tuple(one for one in enabled if JOB_TYPES[one].may_be_scheduled)
    job_type = fields.job_type("job_type", request.job_type, may_tick)
    if fault := principal.fault_of_tenant(request.scope.tenant):
        fields.fail("scope.tenant", fault)
    scope = _scope(fields, request, principal, job_type)
    payload = _payload(fields, request, job_type)
    if payload is not None and job_type in SIGNED:
        payload = {**payload, SIGNED_BY: principal.name}
    priority = request.priority if request.HasField("priority") else PRIORITY_DEFAULT
    fields.number("priority", priority, 0, PRIORITY_MAX)
    missed = fields.known("missed", request.missed, schedules_pb2.MissedTicks)
    jitter = float(JITTER_SECONDS)
    if request.HasField("jitter"):
        jitter = fields.seconds("jitter", request.jitter, JITTER_SECONDS_MAX)
    fields.done()
    return ScheduleWanted(
        name=name,
        cron=cron,
        time_zone=time_zone,
        job_type=job_type,
        scope=scope,
        payload=payload,
        priority=priority,
        runs_late=missed != schedules_pb2.MISSED_TICKS_SKIP,
        jitter_seconds=round(jitter),
        principal=principal.name,
        validate_only=request.validate_only,
    )


def check_name(fields: Fields, name: str) -> str:
    """The name of a schedule."""
    if not NAME.fullmatch(name):
        said = "must be 1 to 64 characters of a-z, 0-9, - and _, the first a letter or a digit"
        fields.fail("name", said)
    return name


def _scope(
    fields: Fields,
    request: schedules_pb2.CreateScheduleRequest,
    principal: Principal,
    job_type: str,
) -> Scope:
    """The scope; its year is None if it is the one of each tick."""
    tenant = request.scope.tenant or principal.tenants[0]
    asked = types_pb2.Scope()
    asked.CopyFrom(request.scope)
    of_tick = not asked.year and "year" in JOB_TYPES[job_type].needs
    if of_tick:
        asked.year = _SOME_YEAR
    scope = fields.scope("scope", asked, tenant, job_type)
    return replace(scope, year=None) if of_tick else scope


def _payload(
    fields: Fields, request: schedules_pb2.CreateScheduleRequest, job_type: str
) -> Json | None:
    """A file would be the same at each tick, so what reads rows has them from a provider."""
    asks = any(key.name == "provider" for key in PAYLOAD_KEYS.get(job_type, ()))
    if asks and not request.payload.fields["provider"].string_value:
        fields.fail("payload.provider", f"is required: a scheduled {job_type} has no file")
        return None
    return check_payload(fields, "payload", job_type, request, request.scope.reference_kind)
