"""(l) Files of four types to totals: flights, train trips, purchases and members of staff."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.file_stack import FileBench, ended, running_files, server_seconds
from benchmarks.stored_rows import FLOOR_NAME, floor_seconds, peak_megabytes
from carbonline.command.jobs_of_files import (
    FileJob,
    entries_job,
    factors_job,
    locations_job,
    submit_file,
    units_job,
)
from carbonline.command.names import module_numbers, type_numbers
from carbonline.command.picture import seconds_of

YEAR = 2024
UNITS = 500
AIRPORTS = ("GVA", "ZRH", "CDG", "LHR", "FRA", "MAD", "FCO", "VIE", "JFK", "BOS", "SFO", "NRT")
STATIONS = 300
COUNTRIES = ("CH", "FR", "DE", "IT", "AT")
# A catalogue of goods has some 20,000 codes.
CODES = 20_000
# One process runs all steps: its memory is that of the type.
WORKER = "worker-1"
NODES = (
    ("food", "vegetarian", ""),
    ("food", "non_vegetarian", ""),
    ("waste", "incineration", ""),
    ("waste", "composting", ""),
    ("waste", "biogas", "organic_waste_food_leftovers"),
    ("waste", "biogas", "cooking_vegetable_oil"),
    ("waste", "recycling", "paper"),
    ("waste", "recycling", "cardboard"),
    ("waste", "recycling", "plastics"),
    ("waste", "recycling", "glass"),
    ("waste", "recycling", "ferrous_metals"),
    ("waste", "recycling", "non_ferrous_metals"),
    ("waste", "recycling", "electronics"),
    ("waste", "recycling", "wood"),
    ("waste", "recycling", "pet"),
    ("waste", "recycling", "aluminum"),
    ("waste", "recycling", "textile"),
    ("waste", "recycling", "toner_and_ink_cartridges"),
    ("waste", "recycling", "inert_waste"),
    ("waste", "recycling", ""),
    ("commuting", "walking", ""),
    ("commuting", "cycling", ""),
    ("commuting", "powered_two_wheeler", ""),
    ("commuting", "public_transport", ""),
    ("commuting", "car", ""),
)


@dataclass(frozen=True)
class Measured:
    """A type: lines of its factors and of its activity data, headers first.

    Each row has so many `emissions`.
    """

    module: str
    data_entry_type: str
    factors: Sequence[str]
    rows: Sequence[str]
    emissions: int = 1

    @property
    def row_count(self) -> int:
        """Rows of activity data."""
        return len(self.rows) - 1


async def measure(rows: int) -> list[Figure]:
    """Rows per second of each type, end to end and by step, beside what PostgreSQL does alone."""
    figures = []
    async with running_files() as bench:
        units = (f"U{unit:03},Unit {unit}" for unit in range(UNITS))
        await _load(bench, units_job(_file(bench, "unit_institutional_id,name", units), YEAR))
        await _load(bench, locations_job(None, "plane"))
        await _load(bench, locations_job(_file(bench, *_stations()), "train"))
        for make in (planes, trains, purchases, members):
            # A process keeps what it once took, so each type has a process of its own.
            await bench.stack.restart(WORKER)
            figures += await _measure(bench, make(rows))
    return figures


def planes(rows: int) -> Measured:
    """Flights between airports of all three hauls, each row of one person."""
    factors = [
        f"{haul},{cabin},{ef},1.7,{band}"
        for haul, ef, band in (("short", 0.2, "0,1500"), ("long", 0.15, "1500,"))
        for cabin in ("economy", "business")
    ]
    trips = (
        f"{_unit(row)},{AIRPORTS[row % 12]},{AIRPORTS[(row // 12 % 11 + row % 12 + 1) % 12]},"
        f"P{row},{'business' if row % 9 == 0 else 'economy'},{row % 3 + 1}"
        for row in range(rows)
    )
    return Measured(
        "professional_travel",
        "plane",
        [
            "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance",
            *factors,
        ],
        [
            (
                "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,"
                "cabin_class,number_of_trips"
            ),
            *trips,
        ],
    )


def trains(rows: int) -> Measured:
    """Trips between stations of five countries, found by name and country."""
    trips = (
        f"{_unit(row)},{_station(row)},{_station(row + 1 + row // STATIONS % (STATIONS - 1))},"
        f"P{row},second,{row % 3 + 1}"
        for row in range(rows)
    )
    return Measured(
        "professional_travel",
        "train",
        ["country_code,ef_kg_co2eq_per_km", "CH,0.006", "FR,0.004", "RoW,0.05"],
        [
            (
                "unit_institutional_id,origin_name,origin_country_code,destination_name,"
                "destination_country_code,user_institutional_id,cabin_class,number_of_trips"
            ),
            *trips,
        ],
    )


def purchases(rows: int) -> Measured:
    """Order lines of 20,000 distinct codes, each with a factor of its own."""
    return Measured(
        "purchase",
        "services",
        [
            "purchase_institutional_code,currency,ef_kg_co2eq_per_currency",
            *(f"{_code(number)},CHF,{0.1 + number % 90 / 100:.2f}" for number in range(CODES)),
        ],
        [
            "unit_institutional_id,name,total_spent_amount,purchase_institutional_code",
            *(
                f"{_unit(row)},Order {row},{row % 9000 + 100}.{row % 90 + 10},{_code(row * 7919)}"
                for row in range(rows)
            ),
        ],
    )


def members(rows: int) -> Measured:
    """Members of staff, each with an emission for each of 25 factors."""
    return Measured(
        "headcount",
        "member",
        [
            (
                "headcount_category,headcount_class,headcount_subclass,unit,"
                "number_of_unit_per_fte,ef_kg_co2eq_per_unit"
            ),
            *(f"{','.join(node)},piece,{at + 10},{0.2 + at / 10}" for at, node in enumerate(NODES)),
        ],
        [
            "unit_institutional_id,name,sius_code,user_institutional_id,fte",
            *(
                f"{_unit(row)},Person {row},{51 + row % 4},P{row},0.{row % 9 + 1}"
                for row in range(rows)
            ),
        ],
        emissions=len(NODES),
    )


async def _measure(bench: FileBench, of: Measured) -> list[Figure]:
    module, number = module_numbers()[of.module], type_numbers()[of.data_entry_type]
    factors, rows = (_file(bench, lines[0], lines[1:]) for lines in (of.factors, of.rows))
    await _load(bench, factors_job(factors, module, number, YEAR))
    job = entries_job(rows, module, number, YEAR)
    view = await ended(bench, await submit_file(bench.client, job))
    peak = peak_megabytes(bench.stack.pid(WORKER))
    url = bench.stack.addresses.database_url
    floor = of.row_count / await floor_seconds(url, number, of.row_count * of.emissions)
    name = f"{of.row_count:,} rows of {of.data_entry_type}"
    speed = of.row_count / server_seconds(view)
    return [
        Figure(f"{name}, end to end", speed, "rows/s", FLOOR_NAME, floor),
        *(
            Figure(
                f"{name}, {one.job_type}", of.row_count / (seconds_of(one, 0.0) or 0.0), "rows/s"
            )
            for one in view.in_order()
        ),
        Figure(f"{name}, peak memory of a worker", peak, "MB"),
    ]


async def _load(bench: FileBench, job: FileJob) -> None:
    await ended(bench, await submit_file(bench.client, job))


def _file(bench: FileBench, header: str, lines: Iterable[str]) -> Path:
    target = bench.folder / "rows.csv"
    target = target.with_stem(f"rows_{len(list(bench.folder.glob('rows_*.csv')))}")
    target.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return target


def _stations() -> tuple[str, list[str]]:
    """A grid of stations over the middle of Europe."""
    return "name,country,latitude,longitude", [
        f"{_station(number)},{45 + number % 20 / 5},{1 + number // 20}"
        for number in range(STATIONS)
    ]


def _station(number: int) -> str:
    at = number % STATIONS
    return f"Station {at},{COUNTRIES[at % len(COUNTRIES)]}"


def _unit(row: int) -> str:
    return f"U{row % UNITS:03}"


def _code(number: int) -> str:
    return f"{10_000_000 + number % CODES * 3}"
