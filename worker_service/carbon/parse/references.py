"""Reads reference files: places of a transport mode, units of an institution."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import polars as pl

from worker_service.carbon.airport_codes import cities
from worker_service.carbon.csv_source.byte_stream import FILE_BYTES_MAX, Open
from worker_service.carbon.csv_source.invisible import as_seen
from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.declarations import UNIT_COLUMN, Column, ColumnKind, Normalisation
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.stations import read_stations
from worker_service.carbon.parse.tables import ParsedTable, read_table

_LATITUDE = Column("latitude", ColumnKind.NUMBER, minimum=-90, maximum=90, example="46.2381")
_LONGITUDE = Column("longitude", ColumnKind.NUMBER, minimum=-180, maximum=180, example="6.109")

LOCATION_COLUMNS: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {
        "plane": (
            Column("iata", example="GVA"),
            Column("name", required=False, normalisation=Normalisation.SHOWN, example="Geneva"),
            Column("country", required=False, normalisation=Normalisation.SHOWN, example="CH"),
            _LATITUDE,
            _LONGITUDE,
        ),
        "train": (
            Column("name", normalisation=Normalisation.SHOWN, example="Geneva"),
            Column("country", normalisation=Normalisation.SHOWN, example="CH"),
            _LATITUDE,
            _LONGITUDE,
        ),
    }
)
PARENT_COLUMN = "parent_unit_id"
UNIT_COLUMNS = (
    Column(UNIT_COLUMN, normalisation=Normalisation.SHOWN, example="0828"),
    Column("name", normalisation=Normalisation.SHOWN, example="Institute of Physics"),
    Column(PARENT_COLUMN, required=False, normalisation=Normalisation.SHOWN, example="SCI"),
)


def read_locations(
    transport_mode: str,
    open_file: Open,
    mapping: FileMapping = AS_DECLARED,
    bytes_max: int = FILE_BYTES_MAX,
) -> ParsedTable:
    """Reads a file of places: airports by code, stations by name and country.

    Its accepted rows have row_number, transport_mode, code, name, country, latitude, longitude.
    Raises KeyError for an unknown transport mode, RefusedFile as `read_table`.
    """
    columns = LOCATION_COLUMNS[transport_mode]
    is_coded = "iata" in [column.name for column in columns]
    identity = ["iata"] if is_coded else [column.name for column in columns]
    table = read_table(open_file, columns, identity, bytes_max, mapping)
    if is_coded:
        places = table.accepted.with_columns(code=pl.col("iata"))
        doubts = [_no_codes(places), _cities(places)]
    else:
        found = read_stations(table.accepted)
        places, doubts = found.stations, [found.warnings]
    return replace(
        table,
        accepted=places.select(
            "row_number",
            pl.lit(transport_mode).alias("transport_mode"),
            "code",
            "name",
            "country",
            "latitude",
            "longitude",
        ),
        rejected=_with_swap_hint(table.rejected),
        warnings=merged_rejections([table.warnings, *doubts]),
    )


def _no_codes(accepted: pl.DataFrame) -> pl.DataFrame:
    """Warns of accepted places whose code has another form than an IATA code."""
    no_code = accepted.filter(~pl.col("iata").str.contains("^[a-z]{3}$"))
    return no_code.select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit("iata").alias("column"),
        shown(pl.col("iata").str.to_uppercase()).alias("value"),
        pl.lit("is not an IATA code, which has three letters: is the column right?").alias(
            "reason"
        ),
    )


def _cities(accepted: pl.DataFrame) -> pl.DataFrame:
    """Warns of accepted places whose code means a city that has several airports, or another."""
    found = accepted.join(cities(), left_on="iata", right_on="code", maintain_order="left")
    return found.select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit("iata").alias("column"),
        shown(pl.col("iata").str.to_uppercase()).alias("value"),
        pl.format(
            "is the code of a city ({}), and flights that name it will count from here: is that"
            " meant?",
            "airports",
        ).alias("reason"),
    )


def _with_swap_hint(rejected: pl.DataFrame) -> pl.DataFrame:
    """Asks for swapped columns where a latitude is none, and would be a longitude."""
    degrees = pl.col("value").cast(pl.Float64, strict=False).abs()
    assert _LATITUDE.maximum is not None
    assert _LONGITUDE.maximum is not None
    would_be = (degrees > _LATITUDE.maximum) & (degrees <= _LONGITUDE.maximum)
    asked = pl.col("reason") + "; latitude and longitude look swapped"
    swapped = (pl.col("column") == _LATITUDE.name) & would_be.fill_null(value=False)
    return rejected.with_columns(reason=pl.when(swapped).then(asked).otherwise("reason"))


def read_units(
    open_file: Open, mapping: FileMapping = AS_DECLARED, bytes_max: int = FILE_BYTES_MAX
) -> ParsedTable:
    """`accepted`: row_number, unit_id as it is spelt but for what nobody sees, name, and
    parent_unit_id, the id of the unit above it, null for none.

    Units that differ only in case are one unit: the last row stands.
    """
    table = read_table(open_file, UNIT_COLUMNS, [UNIT_COLUMN], bytes_max, mapping)
    accepted = table.accepted.with_columns(as_seen(pl.col(UNIT_COLUMN, PARENT_COLUMN))).rename(
        {UNIT_COLUMN: "unit_id"}
    )
    return replace(table, accepted=accepted)
