"""Recomputes the demo's totals in plain Python; imports nothing of the product.

Prints kg CO2eq per unit and overall as CSV, and counts on stderr. Needs the package airportsdata.
Takes another gzip file of the same columns as its argument.
"""

import csv
import gzip
import math
import sys
from collections import Counter, defaultdict
from pathlib import Path

import airportsdata
from airportsdata import Airport

FLIGHTS = Path(__file__).resolve().parent / "flights.csv.gz"


def kg_per_seat(here: Airport, there: Airport) -> float:
    """Great circle, km, times the UK's factor of 2024 for flights between places outside the UK."""
    phi1, phi2 = math.radians(here["lat"]), math.radians(there["lat"])
    half_dphi, half_dlambda = (phi2 - phi1) / 2, math.radians(there["lon"] - here["lon"]) / 2
    a = math.sin(half_dphi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_dlambda) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(a)) * 0.13465


def main() -> None:
    """One pass over the file; the sums are exact, so the order of rows does not matter."""
    kg: defaultdict[str, list[float]] = defaultdict(list)
    counts: Counter[str] = Counter()
    airports = airportsdata.load("IATA")
    file_name = sys.argv[1] if len(sys.argv) > 1 else FLIGHTS
    with gzip.open(file_name, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            here, there = (airports.get(row[f"{end}_iata"]) for end in ("origin", "destination"))
            trips = int(row["number_of_trips"])
            if trips < 1:
                counts["rejected"] += 1
            elif here is None or there is None:
                counts["unknown_place"] += 1
            else:
                counts["computed"] += 1
                kg[row["unit_institutional_id"]].append(trips * kg_per_seat(here, there))
    for unit in sorted(kg):
        print(f"{unit},{math.fsum(kg[unit])!r}")
    print(f"total,{math.fsum(value for values in kg.values() for value in values)!r}")
    print(dict(counts), file=sys.stderr)


if __name__ == "__main__":
    main()
