"""Files of real institutions and published factors come to what plain Python makes of them."""

import csv
import math
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cases.conftest import Terminal, Typed
from tests.real_data.conftest import UNIT, RealData

PUBLISHED = "factors_defra_2019_2024_condensed.csv"
SUPPLY_CHAIN = "factors_epa_supply_chain_v1.2.csv"
# Which sector of the US an order of the university's category is of, as somebody would choose it.
SECTORS = {
    "PROFESSIONAL & CONTRACTUAL SERVICE": "541611",
    "LAB/RESEARCH EQUIP., SERV. & SUPPLIES": "334516",
    "COMPUTER EQUIP., SOFTWARE, SUPLS & SERV.": "334111",
    "FURNITURE, ALL TYPES": "337214",
    "ARCHITECTURAL & ENGINEERING SERV": "541330",
    "CONSTRUCTION": "236220",
    "FREIGHT TRANSPORTATION": "484121",
}
# US EPA, emission factors hub 2024: kg CO2 per million BTU of natural gas, and of steam.
GAS_KG_PER_MMBTU, STEAM_KG_PER_MMBTU, ELECTRICITY_KG_PER_KWH = 53.06, 66.33, 0.29
KWH_PER_MMBTU = 293.07107


def number_of(typed: Typed, words: str) -> int:
    """The number before these words in what a command says."""
    return int(typed.output.partition(words)[0].split()[-1].replace(",", ""))


def written(terminal: Terminal, name: str, rows: list[dict[str, str]]) -> Path:
    path = terminal.folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.mark.parametrize("published_in", ["2022", "2023"])
def test_a_refrigerant_takes_the_value_of_its_years_publication(
    terminal: Terminal, real_data: RealData, year: int, published_in: str
) -> None:
    [value, *_] = [
        float(row["kg_co2e"])
        for row in real_data.rows(PUBLISHED)
        if (row["year"], row["level2"]) == (published_in, "R410A")
    ]
    loaded = terminal.type("load", "factors", f"uk-gov-{published_in}", "--year", str(year))
    assert loaded.code == 0, loaded
    leak = terminal.folder / "leak.csv"
    leak.write_text(
        "unit_institutional_id,category,subcategory,quantity,unit\n"
        f"{UNIT},refrigerants,R410A,2500,g\n"
    )
    submitted = terminal.type("submit", leak, "--type", "process_emissions", "--year", str(year))
    assert submitted.code == 0, submitted
    assert terminal.kg(year) == pytest.approx(2.5 * value, rel=1e-12)


def test_order_lines_of_a_university_come_to_what_their_sectors_emit(
    terminal: Terminal, real_data: RealData, year: int
) -> None:
    factors = {
        row["naics2017"]: float(row["ef_with_margins"]) for row in real_data.rows(SUPPLY_CHAIN)
    }
    lines = [
        {**row, "sector": SECTORS[row["category"]]}
        for row in real_data.rows("activity_purchases_wvu_2017_2021.csv")
        if row["category"] in SECTORS and Decimal(row["amount"] or "0") > 0
    ]
    assert len(lines) > 4_000
    set_ = ("load", "factors", "epa-supply-chain-1.2", "--year", str(year))
    loaded = terminal.type(*set_)
    assert loaded.code == 0, loaded
    file = written(terminal, "orders.csv", lines)

    submitted = terminal.type(
        *("submit", file, "--type", "services", "--year", str(year), "--unit", UNIT),
        *("--map", "description=name", "--map", "amount=total_spent_amount"),
        *("--map", "sector=purchase_institutional_code", "--value", "currency:USD=usd"),
        # Ordered by the dollar, so many pieces as dollars: nobody asks for them.
        *("--map", "quantity="),
    )

    assert submitted.code == 0, submitted
    assert number_of(submitted, " rows accepted") == len(lines)
    expected = math.fsum(float(row["amount"]) * factors[row["sector"]] for row in lines)
    assert terminal.kg(year) == pytest.approx(expected, rel=1e-9)


def test_metered_energy_of_a_citys_buildings(
    terminal: Terminal, real_data: RealData, year: int
) -> None:
    """Thousands of buildings with quoted thousands, in kWh, kBtu and therms. The file here has no
    emissions of its own, so that plain Python is what they are compared with.
    """
    file = real_data.file("activity_buildings_seattle_2016.csv")
    rows = real_data.rows(file.name)
    power = terminal.folder / "power_factors.csv"
    power.write_text(
        "carrier,unit,ef_kg_co2eq_per_unit\n"
        f"electricity,kWh,{ELECTRICITY_KG_PER_KWH}\n"
        f"steam,kWh,{STEAM_KG_PER_MMBTU / KWH_PER_MMBTU!r}\n"
    )
    gas = terminal.folder / "gas_factors.csv"
    gas.write_text(
        f"name,unit,ef_kg_co2eq_per_unit\nnatural_gas,kWh,{GAS_KG_PER_MMBTU / KWH_PER_MMBTU!r}\n"
    )
    for factors, of_type in ((power, "purchased_energy"), (gas, "energy_combustion")):
        loaded = terminal.type("load", "factors", factors, "--type", of_type, "--year", str(year))
        assert loaded.code == 0, loaded

    def submit(source: str, column: str, unit: str, of_type: str, *constant: str) -> Typed:
        return terminal.type(
            *("submit", file, "--type", of_type, "--year", str(year), "--unit", UNIT),
            *("--source", source, "--map", f"{column}=quantity", "--set", f"unit={unit}"),
            *("--decimal", "point", *constant),
        )

    power_of = "purchased_energy"
    submitted = [
        submit("power", "Electricity(kWh)", "kWh", power_of, "--set", "carrier=electricity"),
        submit("steam", "SteamUse(kBtu)", "kBtu", power_of, "--set", "carrier=steam"),
        submit(
            "gas", "NaturalGas(therms)", "therm", "energy_combustion", "--set", "name=natural_gas"
        ),
    ]

    def sum_of(column: str) -> float:
        values = (row[column].replace(",", "") for row in rows)
        return math.fsum(float(value) for value in values if value and not value.startswith("-"))

    for one, column in zip(
        submitted, ("Electricity(kWh)", "SteamUse(kBtu)", "NaturalGas(therms)"), strict=True
    ):
        assert one.code == 0, one
        good = [row for row in rows if row[column] and not row[column].startswith("-")]
        assert number_of(one, " rows accepted") == len(good)
        assert ("rejected" in one.output) == (len(good) < len(rows))
    expected = (
        sum_of("Electricity(kWh)") * ELECTRICITY_KG_PER_KWH
        + sum_of("SteamUse(kBtu)") * STEAM_KG_PER_MMBTU / 1e3
        + sum_of("NaturalGas(therms)") * GAS_KG_PER_MMBTU / 10
    )
    assert terminal.kg(year) == pytest.approx(expected, rel=0.005)


def test_stations_of_europe_are_one_place_each(
    terminal: Terminal, real_data: RealData, year: int
) -> None:
    stations = [
        {
            "name": row["name"],
            "country": row["country"],
            "latitude": row["lat"],
            "longitude": row["lon"],
        }
        for row in real_data.rows("ref_stations_europe.csv")
        if row["lat"] and row["lon"]
    ]
    file = written(terminal, "stations.csv", stations)
    loaded = terminal.type("load", "locations", file, "--transport-mode", "train")
    # Stations far apart that share a name are told.
    assert loaded.code in (0, 1), loaded
    factors = terminal.folder / "train_factors.csv"
    factors.write_text("country_code,ef_kg_co2eq_per_km,detour_ratio\nRoW,0.03,1.2\n")
    for_type = ("--type", "train", "--year", str(year))
    assert terminal.type("load", "factors", factors, *for_type).code == 0
    trip = terminal.folder / "trip.csv"
    trip.write_text(
        "unit_institutional_id,origin_name,origin_country_code,destination_name,"
        "destination_country_code,user_institutional_id,cabin_class\n"
        f"{UNIT},Paris Gare du Nord,FR,London St-Pancras,GB,7,second\n"
    )
    submitted = terminal.type("submit", trip, *for_type)
    assert submitted.code == 0, submitted
    # 342 km along the great circle, from the coordinates of both on a map.
    assert terminal.kg(year) == pytest.approx(342 * 1.2 * 0.03, rel=0.01)


@pytest.mark.parametrize(
    ("name", "maps"),
    [
        (
            "activity_spend_trafford_2014_09_raw.csv",
            ("Supplier Name=name", "Amount=total_spent_amount", "Expense Area=supplier"),
        ),
        (
            "activity_spend_tameside_2014_09_raw.csv",
            ("Supplier Name=name", "Sum of Inv Amount=total_spent_amount"),
        ),
    ],
)
def test_each_row_of_a_councils_spend_is_accounted_for(
    terminal: Terminal, real_data: RealData, year: int, name: str, maps: tuple[str, ...]
) -> None:
    file = real_data.file(name)
    with file.open(encoding="cp1252", newline="") as opened:
        rows = sum(1 for row in csv.reader(opened) if any(row)) - 1

    submitted = terminal.type(
        *("submit", file, "--type", "services", "--year", str(year), "--unit", UNIT),
        *(word for one in maps for word in ("--map", one)),
        *("--set", "currency=gbp", "--set", "purchase_institutional_code=council"),
        *("--decimal", "point"),
    )

    assert submitted.code == 0, submitted
    accepted = number_of(submitted, " rows accepted")
    rejected = terminal.rejected(submitted).splitlines()
    listed = len(list(csv.reader(rejected))) - 1
    assert accepted > rows / 3
    assert accepted + listed == rows


def test_amounts_with_a_currency_sign_are_refused_with_what_to_do(
    terminal: Terminal, real_data: RealData, year: int
) -> None:
    file = real_data.file("activity_spend_manchester_2014_09_raw_cp1252.csv")

    submitted = terminal.type(
        *("submit", file, "--type", "services", "--year", str(year), "--unit", UNIT),
        *("--map", "Supplier Name=name", "--map", "Net Amount=total_spent_amount"),
        *("--set", "currency=gbp", "--set", "purchase_institutional_code=council"),
        *("--decimal", "point"),
    )

    assert submitted.code == 4, submitted
    assert "has £ beside the number: write the number alone" in submitted.output
    assert "was read as Windows-1252" in submitted.output
