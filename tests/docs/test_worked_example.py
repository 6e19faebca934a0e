"""The example that readers check with a pocket calculator is what the product computes."""

from pathlib import Path

import polars as pl
import pytest

from carbonline.client.airports import airport_rows
from worker_service.carbon.great_circle import great_circle_km

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "carbon.md").read_text(encoding="utf-8")
DETOUR_KM, KG_PER_KM, RFI = 95, 0.2906, 1.35


@pytest.fixture
async def geneva_to_paris_km() -> float:
    """Between the airports that `load locations` loads."""
    places = pl.read_csv(b"".join([chunk async for chunk in airport_rows()]))
    trip = pl.DataFrame(
        {
            f"{end}_{column}": places.filter(pl.col("iata") == code)[column]
            for end, code in (("origin", "GVA"), ("destination", "CDG"))
            for column in ("latitude", "longitude")
        }
    )
    km: float = trip.select(great_circle_km()).item()
    return km


async def test_the_example_has_the_distance_of_the_airports_that_are_loaded(
    geneva_to_paris_km: float,
) -> None:
    assert f"is {geneva_to_paris_km:.6f} km." in PAGE


async def test_the_example_has_the_kilograms_that_follow(geneva_to_paris_km: float) -> None:
    km = geneva_to_paris_km + DETOUR_KM
    kg = km * KG_PER_KM * RFI
    assert f"{km:.6f} km x 1 trip x {KG_PER_KM} kg/km x {RFI} = **{kg:.6f} kg CO2eq**" in PAGE
