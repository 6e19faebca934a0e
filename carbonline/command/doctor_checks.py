"""What `carbonline doctor` looks at, each part by itself."""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from typing import TypeAlias

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError, Unreachable
from carbonline.client.paging import read_pages
from carbonline.command.names import module_name, stale_word
from carbonline.command.printing import moment
from carbonline.command.queue import QUEUES_MAX
from carbonline.command.schedule_words import schedule_sentence, trouble_of
from carbonline.exposed_file import ExposedFile
from carbonline.pluralize import pluralize
from carbonline.v1 import monitoring_pb2, operations_pb2, options_pb2, types_pb2

# A heartbeat and the beginning of a step fit in.
WAIT_SECONDS_MAX = 300.0
STALE_SECONDS = 600
SKEW_SECONDS_MAX = 5.0
TOKEN_HOURS_MIN = 24.0
# The ledger process answers, and not the store of its files.
STORE_AWAY = "STORE_UNAVAILABLE"
MAY_NOT = frozenset({"PERMISSION_DENIED"})


class State(StrEnum):
    """How a check ended. LOOK: works, but somebody should look at it. SKIPPED: not looked at."""

    OK = "ok"
    LOOK = "look"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, as a sentence, and what to do; `to_do` is empty if nothing is.

    `unanswered`: it asked a server, and there was no answer.
    """

    check: str
    state: State
    words: str
    to_do: str = ""
    unanswered: bool = False


Check: TypeAlias = Callable[[ContractClient], Awaitable[Sequence[Finding]]]


async def examine(client: ContractClient) -> list[Finding]:
    """All findings. Without an answer of a service, the checks that ask it are skipped."""
    return [
        *await _examined(client, "scheduler", SCHEDULER_CHECKS),
        *await _examined(client, "ledger", LEDGER_CHECKS),
    ]


async def _examined(
    client: ContractClient, service: str, checks: Mapping[str, Check]
) -> list[Finding]:
    """The first check, which has the service's name, says whether the others have a use."""
    findings: list[Finding] = []
    useless = False
    for name, check in checks.items():
        if useless:
            skipped = f"see {service}: it does not answer this caller"
            findings.append(Finding(name, State.SKIPPED, skipped))
            continue
        try:
            findings += await check(client)
        except ServerError as error:
            findings.append(_refused(name, service, error))
            useless = name == service and error.code not in MAY_NOT
    return findings


def _refused(name: str, service: str, error: ServerError) -> Finding:
    if isinstance(error, Unreachable) and error.reason != STORE_AWAY:
        to_do = f"Start the {service}, or look at its log."
        return Finding(name, State.WRONG, str(error), to_do, unanswered=True)
    if error.code in MAY_NOT:
        return Finding(name, State.SKIPPED, f"this caller may not see it: {error}")
    return Finding(name, State.WRONG, str(error), "Mend what it says.")


async def _caller(client: ContractClient) -> list[Finding]:
    """Who calls, for how long, and by which clock."""
    asked = dt.datetime.now(dt.UTC)
    caller = await client.get_caller()
    answered = dt.datetime.now(dt.UTC)
    roles = ", ".join(
        options_pb2.Role.Name(one).removeprefix("ROLE_").lower() for one in caller.roles
    )
    seconds = (answered - asked).total_seconds()
    tenants = ", ".join(caller.tenants)
    words = f"answers in {1000 * seconds:.0f} ms; you are {caller.name} of {tenants} ({roles})"
    return [
        Finding("scheduler", State.OK, words),
        _token(caller, answered),
        _clock(caller, asked + (answered - asked) / 2, seconds),
    ]


def _token(caller: operations_pb2.GetCallerResponse, now: dt.datetime) -> Finding:
    if not caller.HasField("expires_at"):
        return Finding("token", State.OK, "does not expire")
    left = (caller.expires_at.ToDatetime(dt.UTC) - now).total_seconds() / 3600
    words = f"expires in {left:.1f} hours"
    if left >= TOKEN_HOURS_MIN:
        return Finding("token", State.OK, words)
    return Finding("token", State.LOOK, words, "See that it is renewed in its file before that.")


def _clock(
    caller: operations_pb2.GetCallerResponse, middle: dt.datetime, uncertain: float
) -> Finding:
    if not caller.HasField("answered_at"):
        return Finding(
            "clock", State.SKIPPED, "this scheduler is older and does not tell its clock"
        )
    skew = (caller.answered_at.ToDatetime(dt.UTC) - middle).total_seconds()
    words = f"differs from the scheduler's by {abs(skew):.1f} s"
    if abs(skew) <= SKEW_SECONDS_MAX + uncertain:
        return Finding("clock", State.OK, words)
    ahead = "behind" if skew > 0 else "ahead of"
    to_do = "Set the clocks by NTP: with wrong ones, tokens are refused and times mislead."
    return Finding("clock", State.WRONG, f"this machine is {abs(skew):.0f} s {ahead} it", to_do)


async def _workers(client: ContractClient) -> list[Finding]:
    answer = await client.list_workers()
    schema = schema_finding("scheduler", answer.schema if answer.HasField("schema") else None)
    return [_builds(answer), schema, _live(answer)]


def _builds(answer: operations_pb2.ListWorkersResponse) -> Finding:
    live = [one for one in answer.workers if one.state != types_pb2.WORKER_STATE_LOST]
    skewed = sorted({one.build_id for one in live if one.build_skew})
    own = f"scheduler {answer.scheduler_build_id}, this command {metadata.version('carbonline')}"
    if not skewed:
        return Finding("builds", State.OK, own)
    words = f"{own}; workers run {', '.join(skewed)}"
    return Finding("builds", State.LOOK, words, "Finish the update: workers follow schedulers.")


def schema_finding(service: str, schema: types_pb2.SchemaRevision | None) -> Finding:
    """Whether a service fits its database. `schema` is None if the service does not tell."""
    check = f"{service} schema"
    if schema is None:
        return Finding(check, State.SKIPPED, f"this {service} is older and does not tell it")
    if schema.found == schema.needed:
        return Finding(check, State.OK, f"revision {schema.found}")
    has = f"the database has revision {schema.found}" if schema.found else "the database has none"
    needs = f"{has}, and the {service} needs {schema.needed}"
    if schema.found < schema.needed:
        return Finding(check, State.WRONG, needs, "Run `carbonline migrate`.")
    to_do = f"Finish the update: a later release has migrated; start its {service}, too."
    return Finding(check, State.LOOK, needs, to_do)


def _live(answer: operations_pb2.ListWorkersResponse) -> Finding:
    live = sum(one.state == types_pb2.WORKER_STATE_LIVE for one in answer.workers)
    unready = [one for one in answer.workers if one.state == types_pb2.WORKER_STATE_NOT_READY]
    if not live:
        if not unready:
            to_do = "Start one: python -m worker_service"
            return Finding("workers", State.WRONG, "none is live, so no job runs", to_do)
        words = f"none is ready: {unready[0].not_ready}"
        return Finding(
            "workers", State.WRONG, words, "Mend what they say; they go on by themselves."
        )
    words = f"{live:,}{' or more' if answer.next_page_token else ''} live"
    if unready:
        words += f", {len(unready)} not ready: {unready[0].not_ready}"
        return Finding("workers", State.LOOK, words, "See `carbonline workers`.")
    return Finding("workers", State.OK, words)


async def _queue(client: ContractClient) -> list[Finding]:
    request = monitoring_pb2.GetQueueStatsRequest()
    queues, has_more = await read_pages(
        client.get_queue_stats, request, lambda page: page.queues, QUEUES_MAX
    )
    waiting = sum(one.claimable for one in queues)
    alone = sorted({one.job_type for one in queues if one.claimable and not one.live_workers})
    waits = [one.oldest_wait.ToTimedelta().total_seconds() for one in queues if one.claimable]
    longest = max(waits, default=0.0)
    more = " or more" if has_more else ""
    words = f"{pluralize(waiting, 'job')}{more} ready to run, the first for {longest:.0f} s"
    if alone:
        to_do = "Start workers that run these types."
        return [Finding("queue", State.WRONG, f"no live worker runs {', '.join(alone)}", to_do)]
    if longest > WAIT_SECONDS_MAX:
        return [Finding("queue", State.LOOK, words, "Add workers, or see `carbonline queue`.")]
    return [Finding("queue", State.OK, words if waiting else "no job waits for a worker")]


async def _pauses(client: ContractClient) -> list[Finding]:
    paused = sorted(one.job_type for one in (await client.list_job_type_pauses()).pauses)
    if not paused:
        return [Finding("paused types", State.OK, "none")]
    words = ", ".join(paused)
    return [
        Finding("paused types", State.LOOK, words, "See `carbonline resume`, if it was forgotten.")
    ]


async def _schedules(client: ContractClient) -> list[Finding]:
    found = (await client.list_schedules()).schedules
    if failing := [schedule_sentence(one, words) for one in found if (words := trouble_of(one))]:
        to_do = "See `carbonline schedule show NAME`, and its pipeline."
        return [Finding("schedules", State.LOOK, "; ".join(failing), to_do)]
    ticks = [one.next_tick_at for one in found if one.HasField("next_tick_at")]
    if not ticks:
        return [Finding("schedules", State.OK, f"{len(found)} paused" if found else "none")]
    first = moment(min(ticks, key=lambda tick: tick.ToNanoseconds()))
    return [Finding("schedules", State.OK, f"{len(found)}, the next tick at {first} UTC")]


async def _stale(client: ContractClient) -> list[Finding]:
    wanted = monitoring_pb2.ListStaleStatsRequest(tenant=client.tenant)
    wanted.older_than.seconds = STALE_SECONDS
    answer = await client.list_stale_stats(wanted)
    if not answer.stats:
        return [Finding("totals", State.OK, "none is stale for ten minutes or more")]
    first = answer.stats[0]
    more = " or more" if answer.next_page_token else ""
    example = f"{module_name(first.module)} of {first.year}: {stale_word(first.reason)}"
    words = f"{pluralize(len(answer.stats), 'module')}{more} stale, such as {example}"
    return [
        Finding(
            "totals", State.LOOK, words, "See `carbonline stale`, then `carbonline recalculate`."
        )
    ]


async def _ledger(client: ContractClient) -> list[Finding]:
    waiting = await client.get_uncollected()
    words = f"answers; {pluralize(waiting.rows, 'row')} to be deleted"
    schema = schema_finding("ledger", waiting.schema if waiting.HasField("schema") else None)
    return [Finding("ledger", State.OK, words), schema]


async def _files(client: ContractClient) -> list[Finding]:
    # A new one each day: what is there already is not written again.
    written = f"carbonline doctor, {dt.datetime.now(dt.UTC):%Y-%m-%d}\n".encode()

    async def sample() -> AsyncIterator[bytes]:
        yield written

    kept = await client.upload_blob(sample(), client.scope(), "doctor.txt")
    read = b"".join([chunk async for chunk in client.download_blob(kept.blob)])
    if read != written:
        to_do = "Look at the folder or bucket of CARBONLINE_BLOB_FOLDER."
        return [Finding("files", State.WRONG, "what is read is not what was uploaded", to_do)]
    return [Finding("files", State.OK, "a file was uploaded and read again")]


def secret_files(exposed: Sequence[ExposedFile]) -> Finding:
    """Whether others of this machine may read the files with the caller's secrets."""
    check = "secret files"
    if not exposed:
        return Finding(check, State.OK, "others of this machine may read none")
    words = ", ".join(f"{one.named_by} {one.file}" for one in exposed)
    to_do = "; ".join(one.to_do for one in exposed)
    return Finding(
        check,
        State.LOOK,
        f"others of this machine may read or change {words}",
        f"{to_do[0].upper()}{to_do[1:]}.",
    )


SCHEDULER_CHECKS: Mapping[str, Check] = {
    "scheduler": _caller,
    "workers": _workers,
    "queue": _queue,
    "paused types": _pauses,
    "schedules": _schedules,
    "totals": _stale,
}
LEDGER_CHECKS: Mapping[str, Check] = {"ledger": _ledger, "files": _files}
