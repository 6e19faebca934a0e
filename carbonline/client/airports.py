"""Airports as a locations file, from the package airportsdata, its wrong places corrected."""

import csv
import io
from collections.abc import AsyncIterator

import airportsdata

from carbonline.airport_corrections import CORRECTIONS

HEADER = ("iata", "name", "country", "latitude", "longitude")
ROWS_PER_CHUNK = 2000


async def airport_rows() -> AsyncIterator[bytes]:
    """The file in chunks: one row per IATA code, by code; degrees as the package has them, or as
    they are corrected.
    """
    rows: list[tuple[object, ...]] = [HEADER]
    for code, airport in sorted(airportsdata.load("IATA").items()):
        name, place = airport["name"], (airport["lat"], airport["lon"])
        if correction := CORRECTIONS.get(code):
            name = correction.name or name
            place = (correction.latitude, correction.longitude)
        rows.append((code, name, airport["country"], *place))
        if len(rows) >= ROWS_PER_CHUNK:
            yield _csv_of(rows)
            rows.clear()
    yield _csv_of(rows)


def _csv_of(rows: list[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
