"""api_ingest: asks a service for the activity data of one type and year, and reads it as a file."""

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from carbonline.pluralize import pluralize
from worker_service.blobs.store import BlobTooLarge
from worker_service.carbon.catalogue import declaration
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.mechanics.outcome import Failed, Outcome, RetryLater
from worker_service.mechanics.run import Run
from worker_service.providers.provider import (
    Page,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    Wanted,
)
from worker_service.steps.csv_ingest import Brought, ingest_rows
from worker_service.steps.input_file import InputFile, Refusal
from worker_service.steps.stores import Stores


@dataclass(slots=True)
class _Left:
    """What the provider did not bring as it was."""

    dropped: Counter[str] = field(default_factory=Counter)
    assumed: Counter[str] = field(default_factory=Counter)


async def run_api_ingest(stores: Stores, providers: Sequence[Provider], run: Run) -> Outcome:
    """Loads what a provider brings, in place of what it brought before for the type and year.

    All of it is fetched, and kept as a file, before anything is loaded; the rest is `ingest_rows`,
    as with a file that somebody uploaded. A service that does not answer makes the job wait and
    run again; one that refuses ends it in ERROR. Neither changes anything.
    """
    left = _Left()

    async def bring() -> Brought:
        return await _brought(stores, _provider(providers, run), run, left)

    try:
        outcome = await ingest_rows(stores, run, bring)
    except ProviderUnavailable as unavailable:
        return RetryLater(f"{unavailable} Nothing was changed.")
    except ProviderRefused as refused:
        return Failed(refused.cause, f"{refused} Nothing was changed.")
    return _with_what_was_left(outcome, left)


def _provider(providers: Sequence[Provider], run: Run) -> Provider:
    wanted = str(run.job.payload.get("provider", ""))
    known = {one.name: one for one in providers}
    provider = known.get(wanted)
    if provider is None:
        there = f"It has {', '.join(known)}." if known else "It has none."
        raise Refusal(
            "provider_not_configured",
            f"This worker has no settings for a provider {shown_text(wanted)}. {there}"
            " docs/operating.md says how to set one up; all workers need the same.",
        )
    declared = declaration(run.job.data_entry_type or 0)
    if declared.name != provider.data_entry_type:
        raise Refusal(
            "provider_of_another_type",
            f"{provider.name} brings {provider.data_entry_type}, not {declared.name}.",
        )
    return provider


async def _brought(stores: Stores, provider: Provider, run: Run, left: _Left) -> Brought:
    """The file of all rows, kept as soon as the last one is there."""
    job = run.job
    assert job.year is not None, "the scheduler checks the scope"
    name = f"{provider.name}_{job.year}.csv"
    scope = {"module": job.module, "data_entry_type": job.data_entry_type, "year": job.year}
    run.progress(0, 0, "fetch")
    fetched = 0
    with stores.blobs.begin(job.tenant, name, {"tenant": job.tenant, **scope}) as upload:
        await asyncio.to_thread(upload.write, _lines([provider.columns]))
        pages = provider.pages(Wanted(job.year, run.check))
        async with aclosing(pages):
            async for page in pages:
                await asyncio.to_thread(_write, upload.write, page)
                left.dropped.update(page.dropped)
                left.assumed.update(page.assumed)
                fetched += len(page.rows) + sum(page.dropped.values())
                run.progress(fetched, max(page.total, fetched), "fetch")
        run.check()
        kept = await asyncio.to_thread(upload.keep)
    if fetched == left.dropped.total():
        raise Refusal("no_rows", _nothing_there(provider, job.year, left))
    return Brought(InputFile(stores.blobs, kept.reference), provider.name, name)


def _write(write: Callable[[bytes], None], page: Page) -> None:
    try:
        write(_lines(page.rows))
    except BlobTooLarge as too_large:
        raise Refusal("rows_too_large", f"The rows are too many: {too_large}.") from too_large


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue().encode()


def _nothing_there(provider: Provider, year: int, left: _Left) -> str:
    dropped = f" {_dropped_sentence(left)}" if left.dropped else ""
    return f"{provider.name} has no rows of {year}, so nothing was changed.{dropped}"


def _with_what_was_left(outcome: Outcome, left: _Left) -> Outcome:
    """The outcome, which also says what was dropped or assumed."""
    if isinstance(outcome, RetryLater):
        return outcome
    stats = {
        **outcome.stats,
        "rows_dropped": left.dropped.total(),
        "dropped": dict(sorted(left.dropped.items())),
        "assumed": dict(sorted(left.assumed.items())),
    }
    if isinstance(outcome, Failed):
        return replace(outcome, stats=stats)
    said = [outcome.message]
    if left.dropped:
        said.append(_dropped_sentence(left))
    said += [f"{pluralize(count, 'row')} with {what}." for what, count in left.assumed.items()]
    warnings = outcome.warnings or bool(left.assumed)
    return replace(outcome, stats=stats, message=" ".join(said), warnings=warnings)


def _dropped_sentence(left: _Left) -> str:
    """Such as "3 records of the service were left out: 2 with no flight, 1 with no traveller."."""
    total = left.dropped.total()
    were = "was" if total == 1 else "were"
    reasons = ", ".join(f"{count:,} with {reason}" for reason, count in left.dropped.most_common())
    return f"{pluralize(total, 'record')} of the service {were} left out: {reasons}."
