"""api_ingest: asks a service for the activity data of one type and year, and reads it as a file."""

from collections.abc import Sequence
from dataclasses import replace

from worker_service.carbon.catalogue import declaration
from worker_service.mechanics.outcome import Failed, Outcome, RetryLater
from worker_service.mechanics.run import Run
from worker_service.providers.provider import Provider, ProviderRefused, ProviderUnavailable
from worker_service.steps.csv_ingest import ingest_rows
from worker_service.steps.entry_files import Brought
from worker_service.steps.fetched_rows import Left, fetched_file, file_name_of, provider_of
from worker_service.steps.stores import Stores


async def run_api_ingest(stores: Stores, providers: Sequence[Provider], run: Run) -> Outcome:
    """Loads what a provider brings, in place of what it brought before for the type and year.

    All of it is fetched, and kept as a file, before anything is loaded; the rest is `ingest_rows`,
    as with a file that somebody uploaded. A service that does not answer makes the job wait and
    run again; one that refuses ends it in ERROR. Neither changes anything.
    """
    left = Left()

    async def bring() -> Brought:
        declared = declaration(run.job.data_entry_type or 0)
        provider = provider_of(providers, run, declared.name)
        run.progress(0, 0, "fetch")
        file = await fetched_file(
            stores.blobs, provider, run, left, lambda done, all_: run.progress(done, all_, "fetch")
        )
        return Brought(file, provider.name, file_name_of(provider, run.job.year or 0))

    try:
        outcome = await ingest_rows(stores, run, bring)
    except ProviderUnavailable as unavailable:
        return RetryLater(f"{unavailable} Nothing was changed.")
    except ProviderRefused as refused:
        return Failed(refused.cause, f"{refused} Nothing was changed.")
    return _with_what_was_left(outcome, left)


def _with_what_was_left(outcome: Outcome, left: Left) -> Outcome:
    """The outcome, which also says what was dropped or assumed."""
    if isinstance(outcome, RetryLater):
        return outcome
    stats = {**outcome.stats, **left.stats()}
    if isinstance(outcome, Failed):
        return replace(outcome, stats=stats)
    message = " ".join([outcome.message, *left.sentences()])
    warnings = outcome.warnings or bool(left.assumed)
    return replace(outcome, stats=stats, message=message, warnings=warnings)
