"""Schedules as rows and as words."""

from carbonline.client.json_struct import values_of
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.names import about_words, pipeline_status_word
from carbonline.command.printing import moment, moment_of
from carbonline.command.safe_text import one_line
from carbonline.command.scope_columns import scope_row
from carbonline.v1 import schedules_pb2, types_pb2

COLUMNS = (
    Column("schedule", kind=Kind.WORD),
    Column("cron", kind=Kind.WORD),
    Column("time_zone", kind=Kind.WORD, once_if_same=True),
    Column("job_type", kind=Kind.WORD, once_if_same=True),
    Column("about", in_files=False),
    Column("provider", in_tables=False),
    Column("next_tick_at", "next (UTC)", Kind.WORD),
    Column("next_due_at", in_tables=False),
    Column("last_tick_at", in_tables=False),
    Column("last_outcome", in_tables=False),
    Column("last_message", in_tables=False),
    Column("last_pipeline", in_tables=False),
    Column("last_pipeline_status", in_tables=False),
    Column("last", in_files=False),
    Column("missed", in_tables=False),
    Column("jitter_seconds", in_tables=False),
    Column("priority", in_tables=False),
    Column("created_by", in_tables=False),
    Column("created_at", in_tables=False),
    Column("paused_at", in_tables=False),
    Column("paused_by", in_tables=False),
    Column("pause_reason", in_tables=False),
    Column("stuck", in_tables=False),
    Column("year", in_tables=False),
)
WENT_WRONG = frozenset(
    {
        types_pb2.PIPELINE_STATUS_FAILED,
        types_pb2.PIPELINE_STATUS_PARTIAL,
        types_pb2.PIPELINE_STATUS_CANCELLED,
    }
)
_NOT_SUBMITTED = {
    schedules_pb2.TICK_OUTCOME_REFUSED: "was refused",
    schedules_pb2.TICK_OUTCOME_OVERLAPPED: "submitted nothing",
    schedules_pb2.TICK_OUTCOME_MISSED: "was missed",
}


def schedule_row(schedule: schedules_pb2.Schedule) -> Row:
    """A schedule as a row of COLUMNS."""
    return {
        **scope_row(schedule.scope),
        "schedule": schedule.name,
        "cron": schedule.cron,
        "time_zone": schedule.time_zone,
        "job_type": schedule.job_type,
        "about": about_words(schedule.scope),
        "provider": provider_of(schedule) or None,
        "next_tick_at": moment_of(schedule.next_tick_at),
        "next_due_at": moment_of(schedule.next_due_at),
        "last_tick_at": moment_of(schedule.last_tick_at),
        "last_outcome": _outcome(schedule.last_outcome),
        "last_message": schedule.last_message or None,
        "last_pipeline": schedule.last_pipeline_id or None,
        "last_pipeline_status": pipeline_status_word(schedule.last_pipeline_status).lower() or None,
        "last": last_words(schedule),
        "missed": "skip" if schedule.missed == schedules_pb2.MISSED_TICKS_SKIP else "run_once",
        "jitter_seconds": schedule.jitter.seconds,
        "priority": schedule.priority,
        "created_by": schedule.created_by,
        "created_at": moment_of(schedule.created_at),
        "paused_at": moment_of(schedule.paused_at),
        "paused_by": schedule.paused_by or None,
        "pause_reason": schedule.pause_reason or None,
        "stuck": schedule.stuck or None,
    }


def provider_of(schedule: schedules_pb2.Schedule) -> str:
    """The service that its jobs ask; "" if they ask none."""
    return str(values_of(schedule.payload).get("provider", ""))


def last_words(schedule: schedules_pb2.Schedule) -> str:
    """How it stands: paused, or what became of the last tick; "" before the first."""
    if schedule.HasField("paused_at"):
        return "paused"
    return trouble_of(schedule) or _pipeline_words(schedule)


def trouble_of(schedule: schedules_pb2.Schedule) -> str:
    """What went wrong with the last tick, in words; "" if nothing did, or if it is paused."""
    if schedule.HasField("paused_at"):
        return ""
    if schedule.stuck:
        return f"cannot be worked on: {schedule.stuck}"
    if not_submitted := _NOT_SUBMITTED.get(schedule.last_outcome):
        at = moment(schedule.last_tick_at)
        return f"the tick of {at} UTC {not_submitted}: {schedule.last_message}"
    went_wrong = schedule.last_pipeline_status in WENT_WRONG
    words = _pipeline_words(schedule) if went_wrong or schedule.last_message else ""
    return "; ".join(filter(None, (words, schedule.last_message)))


def paused_words(schedule: schedules_pb2.Schedule) -> str:
    """Such as "is paused since 2026-11-24 18:40:58 UTC, by ann: she moves"; "" if it goes on."""
    if not schedule.HasField("paused_at"):
        return ""
    reason = f": {schedule.pause_reason}" if schedule.pause_reason else ""
    return f"is paused since {moment(schedule.paused_at)} UTC, by {schedule.paused_by}{reason}"


def schedule_sentence(schedule: schedules_pb2.Schedule, words: str) -> str:
    """Such as "Schedule nightly (unit_sync): pipeline 7 FAILED"."""
    return one_line(f"Schedule {schedule.name} ({schedule.job_type}): {words}")


def _pipeline_words(schedule: schedules_pb2.Schedule) -> str:
    if not schedule.last_pipeline_id:
        return ""
    status = pipeline_status_word(schedule.last_pipeline_status)
    return f"pipeline {schedule.last_pipeline_id} {status}".rstrip()


def _outcome(number: schedules_pb2.TickOutcome.ValueType) -> str | None:
    """As people type it; None before the first tick."""
    if number == schedules_pb2.TICK_OUTCOME_UNSPECIFIED:
        return None
    if number not in schedules_pb2.TickOutcome.values():
        return str(number)
    return schedules_pb2.TickOutcome.Name(number).removeprefix("TICK_OUTCOME_").lower()
