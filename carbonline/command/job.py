"""`carbonline job`: shows everything that is known of one job."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from carbonline.client.json_struct import values_of
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row, joined
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.explain import about_job, held_lines, held_row, reason_row, standing
from carbonline.command.jobs import row_of
from carbonline.command.names import job_word, message_words, scope_words, status_word, step_words
from carbonline.command.options import ID
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment, moment_of, print_lines, table_width
from carbonline.command.row_files import About, in_order
from carbonline.command.safe_text import one_line
from carbonline.command.table import wrapped
from carbonline.pluralize import pluralize
from carbonline.v1 import monitoring_pb2, operations_pb2, types_pb2

COLUMNS = (
    Column("at", "at (UTC)", Kind.WORD),
    Column("event", kind=Kind.WORD),
    Column("what", in_files=False),
    Column("claim", in_tables=False),
    Column("worker", in_tables=False),
    Column("detail", in_tables=False),
)
FOLLOW_UPS_MAX = 100


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the scheduler answers about the job and its pipeline."""

    shown: operations_pb2.GetJobResponse
    explained: monitoring_pb2.ExplainJobResponse
    pipeline: operations_pb2.GetPipelineResponse
    # Of many the newest ones.
    followed_by: operations_pb2.ListJobsResponse

    @property
    def follow_ups(self) -> list[types_pb2.Job]:
        """The jobs of its pipeline that it started, oldest first."""
        return list(self.followed_by.jobs)[::-1]

    @property
    def has_more_follow_ups(self) -> bool:
        """Whether it started more than these."""
        return bool(self.followed_by.next_page_token)


@click.command(
    short_help="Show everything about one job.",
    epilog=examples("carbonline job 7", "carbonline job 7 --json"),
)
@click.argument("job", type=ID)
@output_options
@connection_options
def job(target: Target, output: Output, job: int) -> None:
    """Show JOB: its state, its claims with their workers, how it ended, and what follows from it.

    The list is the job's timeline. `carbonline jobs` lists jobs with their numbers.
    """
    seen = run_to_end(_seen(target, job))
    if output.is_table:
        width = table_width()
        print_lines(
            piece for line in _lines(seen) for piece in wrapped(one_line(line), width) or [""]
        )
    show_rows(COLUMNS, [_row(event) for event in seen.shown.timeline], output, about=_about(seen))


async def _seen(target: Target, job_id: int) -> _Seen:
    async with target.client() as client:
        shown = await client.get_job(job_id)
        explained = await client.explain_job(job_id)
        pipeline_id = shown.job.pipeline_id
        followed_by = await client.list_jobs(
            pipeline_id=pipeline_id, parent_job_id=job_id, page_size=FOLLOW_UPS_MAX
        )
        return _Seen(shown, explained, await client.get_pipeline(pipeline_id), followed_by)


def _lines(seen: _Seen) -> Iterator[str]:
    job = seen.explained.job
    yield standing(job, claimable=seen.explained.claimable)
    if job.state != types_pb2.JOB_STATE_FINISHED:
        for reason in seen.explained.reasons:
            yield f"{reason.message} {reason.advice}".rstrip()
    yield from held_lines(seen.explained)
    yield ""
    for name, value in _facts(seen):
        if value:
            yield f"{name}: {value}"
    yield ""


def _facts(seen: _Seen) -> Iterator[tuple[str, str]]:
    """Names and values for people; "" for what the job does not have."""
    job, pipeline = seen.shown.job, seen.pipeline.pipeline
    yield "scope", scope_words(job.scope)
    yield "pipeline", f"{job.pipeline_id} ({status_word(pipeline)}) of {pipeline.submitted_by}"
    yield "schedule", pipeline.schedule
    yield "joined by", _joined_by(seen.shown)
    yield "priority", str(job.priority)
    yield "attempts", _attempts(job)
    yield "claim", _claim(job, seen.explained.reasons)
    yield "progress", _progress(job.progress) if job.HasField("progress") else ""
    yield "error cause", job.error_cause
    yield "message", message_words(job)
    yield "superseded by", _named("job", [job.superseded_by] if job.superseded_by else [])
    yield "parent", _named("job", [job.parent_job_id] if job.parent_job_id else [])
    yield "follow-ups", _follow_ups(seen)
    yield "payload", joined(in_order(values_of(seen.shown.payload)))
    yield "stats", joined(in_order(values_of(job.stats)))
    if left_out := seen.shown.events_left_out:
        yield "timeline", f"{pluralize(left_out, 'later event')} left out"


def _joined_by(shown: operations_pb2.GetJobResponse) -> str:
    more = f" and {shown.joined_by_left_out:,} more" if shown.joined_by_left_out else ""
    return f"{_named('pipeline', shown.joined_by_pipeline_ids)}{more}"


def _follow_ups(seen: _Seen) -> str:
    words = [f"job {one.job_id} ({step_words(one)}) {job_word(one)}" for one in seen.follow_ups]
    if seen.has_more_follow_ups:
        pipeline = seen.pipeline.pipeline.pipeline_id
        words.insert(0, f"the newest of more: see carbonline jobs {pipeline}")
    return ", ".join(words)


def _attempts(job: types_pb2.Job) -> str:
    parts = [f"{job.attempts} of {job.attempts_max}"]
    if job.expiries:
        parts.append(pluralize(job.expiries, "expired lease"))
    if job.releases:
        parts.append(pluralize(job.releases, "release"))
    if job.runs_alone:
        parts.append("runs alone")
    return ", ".join(parts)


def _claim(job: types_pb2.Job, reasons: Sequence[monitoring_pb2.JobReason]) -> str:
    if job.worker_id:
        running = (r for r in reasons if r.kind == monitoring_pb2.JOB_REASON_KIND_RUNNING)
        ends = "".join(f", lease until {moment(reason.until)} UTC" for reason in running)
        return f"{job.claim_token} of worker {job.worker_id}{ends}"
    return f"{job.claim_token}, which is over" if job.claim_token else ""


def _progress(progress: types_pb2.Progress) -> str:
    of_total = f" of {progress.total:,}" if progress.total else ""
    return f"{progress.phase} {progress.done:,}{of_total} {progress.message}".strip()


def _named(what: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    return f"{what if len(numbers) == 1 else f'{what}s'} {', '.join(map(str, numbers))}"


def _row(event: operations_pb2.TimelineEvent) -> Row:
    of_worker = f" of worker {event.worker_id}" if event.worker_id else ""
    claim = f"claim {event.claim_token}{of_worker}" if event.claim_token else ""
    return {
        "at": moment_of(event.at),
        "event": event.event,
        "what": ": ".join(part for part in (claim, event.detail) if part),
        "claim": event.claim_token or None,
        "worker": event.worker_id or None,
        "detail": event.detail or None,
    }


def _about(seen: _Seen) -> About:
    job = seen.shown.job
    facts = row_of(job)
    beside = ("attempts", "attempts_max", "priority", "error_cause", "message", "worker", "stats")
    return {
        **about_job(job),
        **{name: facts[name] for name in beside},
        "expiries": job.expiries,
        "releases": job.releases,
        "runs_alone": job.runs_alone,
        "claim": job.claim_token or None,
        "parent_job": job.parent_job_id or None,
        "superseded_by": job.superseded_by or None,
        "submitted_by": seen.pipeline.pipeline.submitted_by,
        "schedule": seen.pipeline.pipeline.schedule or None,
        "joined_by_pipelines": list(seen.shown.joined_by_pipeline_ids),
        "joined_by_left_out": seen.shown.joined_by_left_out,
        "events_left_out": seen.shown.events_left_out,
        "payload": in_order(values_of(seen.shown.payload)),
        "claimable": seen.explained.claimable,
        "reasons": [reason_row(reason) for reason in seen.explained.reasons],
        "held_children": [held_row(child) for child in seen.explained.held_children],
        "held_children_more": seen.explained.has_more_held_children,
        "follow_ups": [about_job(one) for one in seen.follow_ups],
        "follow_ups_may_be_more": seen.has_more_follow_ups,
    }
