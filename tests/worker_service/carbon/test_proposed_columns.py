"""A proposal never takes one unit for another nor one end of a way for the other, and says so."""

from collections.abc import Mapping, Sequence

import pytest

from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.csv_source.foreign_names import FOREIGN_NAMES
from worker_service.carbon.csv_source.measured_names import Way, units_in_name, ways_in_name
from worker_service.carbon.csv_source.near_names import UNIT_IS_IN, near_name, units_of_column
from worker_service.carbon.declarations import Column, ColumnKind, DataEntryType
from worker_service.carbon.mapped_columns import OF_NO_TYPE
from worker_service.carbon.parse.entries import entry_columns
from worker_service.carbon.parse.factors import factor_columns
from worker_service.carbon.parse.references import LOCATION_COLUMNS
from worker_service.carbon.proposed_mapping import Proposed, codes_in, proposed_mapping

TYPES = {
    known.name: known
    for module in MODULES
    for known in module.types
    if isinstance(known, DataEntryType)
}
# Files of every kind, by a name.
FILES: Mapping[str, Sequence[Column]] = {
    **{name: entry_columns(known, per_year=True) for name, known in TYPES.items()},
    **{f"factors of {name}": factor_columns(known) for name, known in TYPES.items()},
    **{name: columns for name, columns in OF_NO_TYPE.items() if name != "locations"},
    **{f"places of {mode}": columns for mode, columns in LOCATION_COLUMNS.items()},
}
# Each declared column once: of several types they are alike.
COLUMNS = {column.name: column for columns in FILES.values() for column in columns}.values()
# Of each unit that a declared column may have: others, as names of files say them.
OTHERS = {
    "km": ("mi", "Miles", "Meilen", "nm", "m", "ft", "miglia", "nautical miles"),
    "mi": ("km", "Kilometer", "nm", "m"),
    "kg": ("g", "t", "lb", "Tonnen", "tonnes", "grammes", "pounds", "mg"),
    "g": ("kg", "t", "lb"),
    "m2": ("ft2", "sq ft", "square feet", "ha", "acres"),
    "kwh": ("MWh", "GJ", "MJ", "therms", "Megawattstunden", "Btu"),
    "w": ("kW", "MW", "kilowatts", "hp"),
    "eur": ("CHF", "USD", "$", "£", "Franken", "k€", "TEUR"),
    "hour": ("days", "Tage", "minutes", "jours"),
    "day": ("week", "Woche", "hours"),
    "week": ("day", "Monat", "year"),
    "year": ("month", "Woche"),
}


def proposed(columns: Sequence[Column], texts: Mapping[str, Sequence[str]]) -> Proposed:
    return proposed_mapping(columns, texts, set(codes_in(texts)))


def test_no_column_of_any_file_is_proposed_for_another_unit() -> None:
    mistaken, tried = [], 0
    for column in COLUMNS:
        for unit in {unit for units in units_of_column(column.name).values() for unit in units}:
            for other in OTHERS[unit]:
                tried += 1
                name = _with(column.name, unit, other)
                found = proposed([column], {name: []}).mapping.columns
                if found or near_name(name.casefold(), [column.name]):
                    mistaken.append((name, column.name))
    assert (mistaken, tried > 200) == ([], True)


def _with(name: str, unit: str, other: str) -> str:
    """The declared name with another unit, else with the unit behind it: "ef_mi" of "ef_km"."""
    words = name.split("_")
    for at in [at for at, word in enumerate(words) if {unit} in units_in_name(word).values()]:
        words[at] = other
        return "_".join(words)
    return f"{name} ({other})"


def test_a_number_is_not_a_share_and_not_thousands_of_itself() -> None:
    mistaken = [
        (more, column.name)
        for column in COLUMNS
        if column.kind in {ColumnKind.NUMBER, ColumnKind.INTEGER}
        for more in ("%", "Prozent", "in 1000", "tsd", "Mio")
        if proposed([column], {f"{column.name} {more}": []}).mapping.columns
    ]
    assert mistaken == []


WAYS = {
    Way.BEGIN: ("From", "Departure", "Start", "Von", "Abflug", "Départ", "Partenza", "Sender"),
    Way.END: ("To", "Arrival", "End", "Nach", "Ankunft", "Arrivée", "Arrivo", "Receiver", "Ziel"),
    Way.BACK: ("Return", "Rückreise", "Retour", "Ritorno"),
}


def test_no_end_of_a_way_is_proposed_for_the_other() -> None:
    mistaken, tried = [], 0
    for column in COLUMNS:
        own = ways_in_name(column.name) - {Way.BACK}
        rest = " ".join(column.name.split("_")[1:])
        texts = ["GVA", "CDG"] if column.is_code else []
        for word in [word for way in WAYS if own and way not in own for word in WAYS[way]]:
            for name in (word, f"{word} {rest}", f"{rest} {word}", f"{word} airport code"):
                tried += 1
                if proposed([column], {name: texts}).mapping.columns:
                    mistaken.append((name, column.name))
    assert (mistaken, tried > 200) == ([], True)


PLACES = {"Arrival airport code": ["GVA", "CDG"], "Departure airport code": ["JFK", "GVA"]}


def test_places_are_told_apart_by_their_names_and_never_by_their_order() -> None:
    plane = FILES["plane"]
    meant = {
        "Arrival airport code": "destination_iata",
        "Departure airport code": "origin_iata",
    }
    turned = dict(reversed(PLACES.items()))
    assert [proposed(plane, one).mapping.columns for one in (PLACES, turned)] == [meant, meant]
    found = proposed(plane, {"a": ["GVA"], "b": ["CDG"]})
    assert (found.mapping.columns, found.left_open) == (
        {},
        ["a, b: codes of places; say which is origin_iata and which is destination_iata"],
    )


def test_values_make_no_column_of_a_name_that_says_something_else() -> None:
    others = ("Purpose of the journey", "Reisezweck", "Motif du voyage", "Remarks", "Budget")
    mistaken, told = [], 0
    for columns in FILES.values():
        for column in [one for one in columns if one.kind is ColumnKind.CHOICE]:
            texts = [choice for choice in column.choices if len(choice) > 1]
            for name in others:
                found = proposed([column], {name: texts})
                mistaken += [(name, column.name)] if found.mapping.columns else []
                told += f"{name}: {column.name} if that is what it says" in found.left_open
    assert (mistaken, told > 100) == ([], True)
    # A name that says nothing, or the same in part.
    for name in ("x", "Kl.", "Reiseklassen", "Booked class", "Cabin (long-haul)"):
        found = proposed(FILES["plane"], {name: ["Economy", "Business"], others[0]: ["Business"]})
        assert found.mapping.columns == {name: "cabin_class"}
    # Codes of countries may be codes of airports.
    for one in ("Departure country", "Abflugland", "Pays de départ", "From currency"):
        assert proposed(FILES["plane"], {one: ["CAN", "CHN"]}).mapping.columns == {}
    for one in ("Departure city", "Abflugort", "Lieu de départ", "Von (IATA)", "Dep. station"):
        found = proposed(FILES["plane"], {one: ["CAN", "CHN"]})
        assert found.mapping.columns == {one: "origin_iata"}


SPENT, MILES = "Total spent amount CHF", "Distance (mi)"


# File, its columns with texts; what is proposed for columns and constants, and what is left open.
NOT_SURE = [
    (
        "plane",
        {MILES: ["5"]},
        {},
        {},
        ["Distance (mi): not distance_km, since it says mi"],
    ),
    ("plane", {"Strecke": ["5"]}, {}, {}, ["Strecke: distance_km if it is in km"]),
    (
        "plane",
        {"Distanza": ["5"], "km": ["5"]},
        {"km": "distance_km"},
        {},
        ["Distanza: distance_km if it is in km"],
    ),
    (
        "plane",
        {"From": ["GVA"], "Von": ["GVA"]},
        {},
        {},
        ["From, Von: each may be origin_iata"],
    ),
    ("plane", {"CO2": ["5"]}, {}, {}, ["CO2: kg_co2eq if it is in kg"]),
    ("member", {"FTE %": ["80"]}, {}, {}, ["FTE %: not fte, since it says percent"]),
    # Where a column of its own has the unit, the name says what it is.
    ("road_travel", {MILES: ["5"]}, {MILES: "distance"}, {"distance_unit": "mi"}, []),
    (
        "purchased_energy",
        {"Quantity (MWh)": ["5"]},
        {"Quantity (MWh)": "quantity"},
        {"unit": "mwh"},
        [],
    ),
    ("services", {"Amount CHF": ["5"]}, {}, {}, []),
    ("services", {SPENT: ["5"]}, {SPENT: "total_spent_amount"}, {"currency": "chf"}, []),
    (
        "services",
        {"Total spent amount ($)": ["5"]},
        {},
        {},
        ["Total spent amount ($): total_spent_amount if its currency is dollar"],
    ),
    # The file has that column: it must not contradict the name.
    (
        "services",
        {SPENT: ["5"], "x": ["CHF"]},
        {SPENT: "total_spent_amount", "x": "currency"},
        {},
        [],
    ),
    (
        "services",
        {SPENT: ["5"], "x": ["EUR", "CHF"]},
        {},
        {},
        ["Total spent amount CHF: total_spent_amount if its currency is chf"],
    ),
    (
        "services",
        {SPENT: ["5"], "currency": ["EUR"]},
        {},
        {},
        ["Total spent amount CHF: total_spent_amount if its currency is chf"],
    ),
    # A unit of measure, and one of the institution.
    ("purchased_energy", {"Einheit": ["kWh", "MWh"]}, {}, {}, []),
    ("purchased_energy", {"Einheit": ["0828"]}, {"Einheit": "unit_institutional_id"}, {}, []),
    (
        "additional_purchases",
        {"Annual consumption": ["5"]},
        {"Annual consumption": "annual_consumption"},
        {},
        [],
    ),
    # Beginnings of words, and parts of what is something else.
    ("factors of train", {"Count": ["5"]}, {}, {}, []),
    ("factors of member", {"FTE": ["5"]}, {}, {}, []),
    ("research_facilities", {"Total use": ["5"]}, {}, {}, []),
]


@pytest.mark.parametrize(("file", "texts", "columns", "constants", "left_open"), NOT_SURE)
def test_what_is_not_sure_is_left_open_and_told(
    file: str,
    texts: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    left_open: Sequence[str],
) -> None:
    found = proposed(FILES[file], texts)
    mapping = found.mapping
    assert (mapping.columns, mapping.constants, found.left_open) == (columns, constants, left_open)


def test_formats_that_may_be_either_are_told() -> None:
    found = proposed(FILES["plane"], {"departure_date": ["03/04/2024"], "distance_km": ["1,234"]})
    assert found.left_open == ["decimal: comma or point", "dates: dd/mm/yyyy or mm/dd/yyyy"]


def test_a_column_whose_unit_is_not_sure_tells_how_numbers_are_written() -> None:
    assert proposed(FILES["plane"], {"Strecke": ["1.234,5"]}).mapping.decimal == "comma"


def test_what_the_tables_name_is_declared() -> None:
    declared = {column.name for columns in FILES.values() for column in columns}
    assert set(UNIT_IS_IN) | {of for of, _ in UNIT_IS_IN.values()} <= declared
    # A name in another language says no other unit than the column has.
    assert [
        (name, column)
        for column, names in FOREIGN_NAMES.items()
        for name in names
        if near_name(name, [column]) != column
    ] == []
