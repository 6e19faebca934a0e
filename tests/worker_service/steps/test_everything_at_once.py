"""Files, factors and places submitted together, run by several workers: the last ones stand."""

import asyncio

import pytest

from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import (
    FACTORS,
    GVA_CDG_KM,
    PLACES,
    PLANE,
    TRAVEL,
    YEAR,
    WorkerHarness,
    flights,
)

RFI = 1.35
TRIPS = (4, 1, 3, 2)
FACTOR = ("0.1", "0.7", "0.3")


def trips(unit: str, number: int) -> str:
    return flights(f"{unit},GVA,CDG,1,economy,{number},")


async def submit_all(harness: WorkerHarness) -> list[int]:
    """In waves, so that every kind of job meets every other one."""
    numbers = []
    for wave in range(4):
        # How many kilograms a file replaces depends on which factors came first: with consent.
        numbers.append(await harness.submit_flights(trips("0828", TRIPS[wave]), take_away="yes"))
        # The first and the third are the same file of the same source, and so on.
        numbers.append(
            await harness.submit_flights(
                trips("0829", 1 + wave % 2),
                source=f"agency {wave % 2}",
                unit="0829",
                take_away="yes",
            )
        )
        if wave < len(FACTOR):
            numbers.append(
                await harness.submit(
                    "factor_ingest",
                    FACTORS.replace("0.2906", FACTOR[wave]),
                    payload={"take_away": "yes"},
                    module=TRAVEL,
                    data_entry_type=PLANE,
                    year=YEAR,
                )
            )
        # Far away at first, back where it was at the end.
        places = PLACES.replace("49.0097", "19.0097") if wave < 3 else PLACES
        numbers.append(
            await harness.submit(
                "reference_ingest",
                places,
                payload={"transport_mode": "plane", "take_away": "yes"},
                reference_kind="locations",
            )
        )
    return numbers


async def test_what_was_submitted_last_is_what_the_totals_say(harness: WorkerHarness) -> None:
    async with harness.working(number=1), harness.working(number=2):
        numbers = await submit_all(harness)
        views = await asyncio.gather(*[harness.ended(number) for number in numbers])
    statuses = [view.pipeline.status for view in views if view.pipeline is not None]
    assert statuses == [types_pb2.PIPELINE_STATUS_SUCCESS] * len(numbers)
    kg_per_trip = GVA_CDG_KM * float(FACTOR[-1]) * RFI
    assert await harness.kg() == pytest.approx(
        {"0828": TRIPS[-1] * kg_per_trip, "0829": (1 + 2) * kg_per_trip}
    )
    before = await harness.kg()
    recalculation = (await harness.recalculate()).in_order()[0]
    assert recalculation.message.endswith("nothing has changed.")
    assert await harness.kg() == before
