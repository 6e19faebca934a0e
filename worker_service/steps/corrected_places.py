"""The places that the product corrects, as a frame."""

import polars as pl

from carbonline.airport_corrections import CORRECTIONS
from worker_service.carbon.parse.uncorrected_places import CORRECTED


def corrected_places() -> pl.DataFrame:
    """Airports whose place in the package airportsdata is wrong: CORRECTED, one row per code."""
    rows = [
        (code.lower(), one.latitude, one.longitude, one.reason, one.source)
        for code, one in CORRECTIONS.items()
    ]
    return pl.DataFrame(rows, schema=CORRECTED, orient="row")
