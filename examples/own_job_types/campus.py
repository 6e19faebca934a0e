"""What a university adds to its workers: the trips of its cars, and a look at their log books."""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence

from carbonline.v1 import types_pb2
from worker_service.mechanics.outcome import Failed, Outcome, Succeeded
from worker_service.mechanics.run import Run
from worker_service.mechanics.scheduler import ChildRequest
from worker_service.providers.provider import Page, ProviderRefused, Wanted

BOOKS = ("bus", "van", "car")


class Fleet:
    """A provider: brings the road travel of a year."""

    name = "campus-fleet"
    brings = "road_travel"
    columns: Sequence[str] = (
        "unit_institutional_id",
        "vehicle_class",
        "distance",
        "user_institutional_id",
    )

    def __init__(self, unit: str) -> None:
        self._unit = unit

    async def pages(self, wanted: Wanted) -> AsyncGenerator[Page, None]:
        """Yields the trips. A real one asks a service, and raises ProviderUnavailable."""
        if wanted.year < 2000:
            raise ProviderRefused("no_log_books", "The log books begin in 2000.")
        for number, vehicle in enumerate(BOOKS):
            wanted.check()
            yield Page([[self._unit, vehicle, str(100 * (number + 1)), "1"]], total=len(BOOKS))


def fleet() -> Fleet | None:
    """Makes the provider; None where it has no settings."""
    unit = os.environ.get("CAMPUS_UNIT", "")
    return Fleet(unit) if unit else None


async def check_fleet(run: Run) -> Outcome:
    """The handler of fleet_check. It sees its run, and nothing else of the worker."""
    depot = str(run.job.payload["depot"])
    if depot == "burnt":
        raise OSError("the log books of this depot are gone")
    if depot == "closed":
        return Failed("depot_closed", "The depot is closed: its cars are elsewhere.")
    for number, book in enumerate(BOOKS):
        # Raises if the pipeline was cancelled or the lease is over.
        run.check()
        run.progress(number, len(BOOKS), "read", book)
        await asyncio.sleep(0)
    if run.job.payload.get("then") == "fetch":
        fetch = ChildRequest(
            child_key="trips",
            job_type="api_ingest",
            module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
            data_entry_type=types_pb2.DATA_ENTRY_TYPE_ROAD_TRAVEL,
            payload={"provider": "campus-fleet"},
        )
        await run.chain([fetch])
    run.progress(len(BOOKS), len(BOOKS), "read")
    return Succeeded({"books": len(BOOKS)}, f"{len(BOOKS)} log books of {depot} are well kept.")
