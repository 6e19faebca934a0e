"""Turns a record of the travel API into a row of an activity file of flights, or drops it."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

DATE = "IN_Departure date"
CORRECTED_KG = "OUT_CO2_CORRECTED"
TRAVELLER = "SCIPER"
_COST_CENTRE = "Centre financier"
_CLASS = "IN_Segment class"
_ORIGIN = "IN_Segment origin airport code"
_DESTINATION = "IN_Segment destination airport code"
_SUPPLIER = "IN_Supplier"
_TICKET = "IN_Ticket number"
_TRANSPORT = "TRANSPORT_TYPE"
_TRIPS = "Number of trips"

# What the service must offer. Those that no row needs keep apart the records that it would
# otherwise sum, since it groups by all fields that it is asked for.
CAPTIONS = (
    CORRECTED_KG,
    "OUT_DISTANCE_CORRECTED",
    TRAVELLER,
    _COST_CENTRE,
    DATE,
    _CLASS,
    _DESTINATION,
    _ORIGIN,
    _SUPPLIER,
    _TICKET,
    "PASSENGER_TYPE",
    "ROUND_TRIP",
    _TRANSPORT,
    _TRIPS,
)
COLUMNS = (
    "unit_institutional_id",
    "origin_iata",
    "destination_iata",
    "user_institutional_id",
    "cabin_class",
    "departure_date",
    "number_of_trips",
    "kg_co2eq",
    "note",
)

NOT_A_FLIGHT = "no flight"
UNREADABLE_DATE = "no readable departure date"
ANOTHER_YEAR = "a departure in another year"
NO_FIELDS = "no fields"
NO_TRAVELLER = "no traveller"
NO_AIRPORT = "no code of an airport"
UNKNOWN_CLASS = "an unknown class, taken as economy"
COUNTED_ONLY = "no record of its own, though the service counts it"

_FLIGHTS = frozenset({"", "plane", "air", "flight"})
_CABINS: Mapping[str, str] = MappingProxyType(
    {
        "economy": "economy",
        "premium economy": "premium_economy",
        "business": "business",
        "first": "first",
    }
)
_TRIPS_DIGITS_MAX = 9
# "F0828" is the unit 0828.
_PREFIXED = re.compile(r"[A-Za-z](\d+)")
_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")


def day_of(value: object) -> date | None:
    """A departure date as the service has it, yyyymmdd as text or number; None for no such day."""
    if not (found := _DAY.fullmatch(text_of(value))):
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def trips_of(record: Mapping[str, Any]) -> int:
    """How many trips a record stands for: one at least. The service adds up records that are equal
    in all that it is asked for.
    """
    trips = text_of(record.get(_TRIPS))
    return max(1, int(trips)) if trips.isdecimal() and len(trips) <= _TRIPS_DIGITS_MAX else 1


def rows_of(
    records: Sequence[Mapping[str, Any]], year: int, dropped: Counter[str], assumed: Counter[str]
) -> list[tuple[str, ...]]:
    """The rows of the records, in an order of their own, since the service promises none.

    What is left out is counted by reason in `dropped`. A row without a cost centre stays: whoever
    reads the rows rejects it, and shows it. Numbers are not checked here either.
    """
    rows = []
    for record in records:
        if reason := _why_dropped(record, year):
            dropped[reason] += 1
        else:
            rows.append(_row(record, assumed))
    return sorted(rows)


def _why_dropped(record: Mapping[str, Any], year: int) -> str:
    if text_of(record.get(_TRANSPORT)).lower() not in _FLIGHTS:
        return NOT_A_FLIGHT
    if (day := day_of(record.get(DATE))) is None:
        return UNREADABLE_DATE
    if day.year != year:
        return ANOTHER_YEAR
    if not word_of(record.get(TRAVELLER)):
        return NO_TRAVELLER
    if not (word_of(record.get(_ORIGIN)) and word_of(record.get(_DESTINATION))):
        return NO_AIRPORT
    return ""


def _row(record: Mapping[str, Any], assumed: Counter[str]) -> tuple[str, ...]:
    centre = text_of(record.get(_COST_CENTRE))
    prefixed = _PREFIXED.fullmatch(centre)
    day = day_of(record.get(DATE))
    assert day is not None, "records without a date are dropped"
    return (
        prefixed[1] if prefixed else centre,
        word_of(record.get(_ORIGIN)),
        word_of(record.get(_DESTINATION)),
        word_of(record.get(TRAVELLER)),
        _cabin(text_of(record.get(_CLASS)), assumed),
        day.isoformat(),
        text_of(record.get(_TRIPS)),
        # 0 is a value too: a trip that was corrected to nothing.
        text_of(record.get(CORRECTED_KG)),
        ", ".join(filter(None, (text_of(record.get(_SUPPLIER)), text_of(record.get(_TICKET))))),
    )


def _cabin(given: str, assumed: Counter[str]) -> str:
    name = given.lower().removeprefix("air ").removesuffix(" class").strip()
    if name and name not in _CABINS:
        assumed[UNKNOWN_CLASS] += 1
    return _CABINS.get(name, "economy")


def text_of(value: object) -> str:
    """A value of JSON as a file would have it: "" for null, no fraction for a whole number.

    A list or an object becomes what is neither number nor unit, so that its row is rejected.
    """
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        return "[…]" if isinstance(value, list) else "{…}"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return " ".join(str(value).split())


def word_of(value: object) -> str:
    """As `text_of`, for a code or a name; "" for what cannot be one."""
    is_one = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    is_endless = isinstance(value, float) and not math.isfinite(value)
    return text_of(value) if is_one and not is_endless else ""
