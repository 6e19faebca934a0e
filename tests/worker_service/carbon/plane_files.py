"""Plane files as a user would write them, and the whole pure way from them to emissions."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from carbonline.unseen import UNSEEN
from worker_service.carbon.catalogue import declaration
from worker_service.carbon.compute import Computed, compute
from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.invisible import WHITE_SPACE
from worker_service.carbon.parse.entries import EntryBatch, EntryScope, read_entries
from worker_service.carbon.parse.factors import read_factors
from worker_service.carbon.parse.references import read_locations
from worker_service.carbon.stored import entries_from_stored, stored_entries

PLANE = declaration(20)
YEAR = 2024
SCOPE = EntryScope(year=YEAR, units=("0828", "0829"))
COLUMNS = (
    "unit_institutional_id",
    "origin_iata",
    "destination_iata",
    "user_institutional_id",
    "cabin_class",
    "departure_date",
    "number_of_trips",
    "distance_km",
    "kg_co2eq",
    "note",
)
FACTOR_COLUMNS = (
    "category",
    "cabin_class",
    "ef_kg_co2eq_per_km",
    "rfi_adjustment",
    "min_distance",
    "max_distance",
    "detour_km",
)
GOOD = {
    "unit_institutional_id": "0828",
    "origin_iata": "GVA",
    "destination_iata": "CDG",
    "user_institutional_id": "1",
    "cabin_class": "economy",
}
ECONOMY = {
    "category": "short",
    "cabin_class": "economy",
    "ef_kg_co2eq_per_km": 0.2906,
    "rfi_adjustment": 1.35,
    "min_distance": 0,
    "max_distance": 800,
    "detour_km": 95,
}
AIRPORTS = {"GVA": (46.2381, 6.1090), "CDG": (49.0097, 2.5479), "JFK": (40.6413, -73.7781)}


_AT_THE_ENDS = re.compile(rf"^[{WHITE_SPACE}{UNSEEN}]+|[{WHITE_SPACE}{UNSEEN}]+\Z")


def stripped(field: str) -> str:
    """A field without white space, and what nobody sees, around it."""
    return _AT_THE_ENDS.sub("", field)


def opening(content: bytes | str) -> Open:
    data = content.encode() if isinstance(content, str) else content
    return lambda: io.BytesIO(data)


def csv_of(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def batches_of(content: bytes | str, scope: EntryScope = SCOPE) -> list[EntryBatch]:
    return list(read_entries(PLANE, opening(content), scope).batches)


def parsed(rows: Iterable[Mapping[str, object]], scope: EntryScope = SCOPE) -> EntryBatch:
    """The file's rows; its last batch, about the whole file, is left out."""
    [batch, _] = batches_of(csv_of(COLUMNS, rows), scope)
    return batch


def entries_of(accepted: pl.DataFrame, entry_set: int = 1) -> pl.DataFrame:
    """Through the stored form and back, as the ledger would give them."""
    stored = stored_entries(PLANE, accepted)
    return entries_from_stored(
        PLANE, stored.select(pl.lit(entry_set, pl.Int64).alias("entry_set"), pl.all())
    )


def factors_of(rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    factors = read_factors(PLANE, opening(csv_of(FACTOR_COLUMNS, rows))).accepted
    return factors.drop("classification", "values", "emission_type").with_columns(
        factor_id=pl.col("row_number").cast(pl.Int64),
        version=pl.lit(1, pl.Int32),
        stale=pl.lit(value=False),
        stale_token=pl.lit(0, pl.Int64),
    )


def locations_of(airports: Mapping[str, Sequence[float]] = AIRPORTS) -> pl.DataFrame:
    rows = [
        {"iata": iata, "name": iata, "country": "CH", "latitude": at[0], "longitude": at[1]}
        for iata, at in airports.items()
    ]
    columns = ("iata", "name", "country", "latitude", "longitude")
    return read_locations("plane", opening(csv_of(columns, rows))).accepted


def emissions_of(
    rows: Iterable[Mapping[str, object]],
    factors: Iterable[Mapping[str, object]] = (ECONOMY,),
    airports: Mapping[str, Sequence[float]] = AIRPORTS,
) -> Computed:
    entries = entries_of(parsed(rows).accepted)
    return compute(PLANE, entries, factors_of(factors), {"locations": locations_of(airports)})
