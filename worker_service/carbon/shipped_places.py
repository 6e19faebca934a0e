"""Well-known places, with which files of places are compared."""

import airportsdata
import polars as pl

PLACES = {"code": pl.String, "latitude": pl.Float64, "longitude": pl.Float64}
SHIPPED_BY = "the package airportsdata"


def shipped_places(transport_mode: str) -> pl.DataFrame:
    """A frame of code (as keys are stored), latitude, longitude. Empty for unknown modes.

    Airports are those of the package airportsdata, uncorrected: corrections are below 50 km.
    """
    if transport_mode != "plane":
        return pl.DataFrame(schema=PLACES)
    rows = [
        (code.lower(), airport["lat"], airport["lon"])
        for code, airport in airportsdata.load("IATA").items()
    ]
    return pl.DataFrame(rows, schema=PLACES, orient="row")
