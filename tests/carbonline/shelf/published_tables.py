"""Makes the sets of the factor shelf from tables as their publishers state the figures.

`python -m tests.carbonline.shelf.published_tables FOLDER` writes them anew; FOLDER has the tables.
"""

import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from carbonline.shelf.sets import FIGURES

Table: TypeAlias = Sequence[Mapping[str, str]]
Rows: TypeAlias = list[dict[str, str]]

CONDENSED = "factors_defra_2019_2024_condensed.csv"
HUB = "factors_epa_hub_2024.csv"
SUPPLY_CHAIN = "factors_epa_supply_chain_v1.2.csv"
ADEME = "factors_ademe_nosgestesclimat.csv"
EPFL = "factors_epfl_published.csv"
TABLES = (CONDENSED, HUB, SUPPLY_CHAIN, ADEME, EPFL)

# From the methodology paper: flights of up to 3,700 km are short-haul.
SHORT_HAUL_KM = "3700"
CABINS = {
    "Average passenger": "average",
    "Economy class": "economy",
    "Premium economy class": "premium_economy",
    "Business class": "business",
    "First class": "first",
}
# The fuels that have a node of their own; others keep their published names.
FUELS = {
    "Natural gas": "natural_gas",
    "Burning oil": "heating_oil",
    "Wood logs": "wood_logs",
    "Wood chips": "forest_chips",
    "Wood pellets": "pellets",
}
UNITS = {"kWh (Gross CV)": "kwh", "kWh": "kwh", "litres": "l", "tonnes": "t", "cubic metres": "m3"}
GASES = {"Carbon dioxide": "co2", "Methane": "ch4", "Nitrous oxide": "n2o"}
TOTAL_EMISSIONS = ("", "Total emissions including non-Kyoto products")
LB = Decimal("0.45359237")
MILE_KM = Decimal("1.609344")
# 100 years, IPCC's fifth report, as the Hub of 2024 counts.
CH4, N2O = Decimal("0.028"), Decimal("0.265")


def table(folder: Path, name: str) -> Table:
    """The rows of a published table."""
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def uk_government(published: Table, year: str) -> dict[str, Rows]:
    """A year of the UK Government's conversion factors, by data-entry type."""
    of_year = [row for row in published if row["year"] == year]
    return {
        "plane": list(_flights(of_year)),
        "train": [
            {"country_code": "GB", "ef_kg_co2eq_per_km": row["kg_co2e"]}
            for row in of_year
            if (row["activity"], row["level2"]) == ("Rail", "National rail")
        ],
        "road_travel": list(_road(of_year)),
        "purchased_energy": _electricity(of_year),
        "energy_combustion": list(_fuels(of_year)),
        "homeworking": [
            {"category": "homeworking", "ef_kg_co2eq_per_fte_hour": row["kg_co2e"]}
            for row in of_year
            if row["activity"].startswith("Homeworking (")
        ],
        "process_emissions": list(_gases(of_year)),
    }


def _flights(rows: Table) -> Iterator[dict[str, str]]:
    for row in rows:
        haul = row["level2"].partition(",")[0]
        if row["column_text"] != "With RF" or haul not in {"Short-haul", "Long-haul"}:
            continue
        short = haul == "Short-haul"
        yield {
            "category": haul.lower().replace("-", "_"),
            "cabin_class": CABINS[row["level3"]],
            "ef_kg_co2eq_per_km": row["kg_co2e"],
            "rfi_adjustment": "1",
            "min_distance": "0" if short else SHORT_HAUL_KM,
            "max_distance": SHORT_HAUL_KM if short else "",
        }


def _road(rows: Table) -> Iterator[dict[str, str]]:
    for row in rows:
        kind, vehicle = row["activity"], row["level2"].lower()
        by_person = kind == "Bus"
        if row["sheet"] != "Business travel- land" or kind == "Rail":
            continue
        if row["unit"] != ("passenger.km" if by_person else "km"):
            continue
        fuel = row["column_text"].lower()
        yield {
            "vehicle_class": f"{vehicle} motorbike" if kind == "Motorbike" else vehicle,
            "fuel": "" if fuel == "unknown" else fuel,
            "ef_kg_co2eq_per_km": row["kg_co2e"],
        }


def _electricity(rows: Table) -> Rows:
    [used] = [row["kg_co2e"] for row in rows if row["activity"] == "Electricity generated"]
    [lost] = [row["kg_co2e"] for row in rows if row["activity"] == "T&D- UK electricity"]
    return [
        {
            "carrier": "electricity",
            "unit": "kwh",
            "ef_kg_co2eq_per_unit": used,
            "ef_losses_kg_co2eq_per_unit": lost,
        }
    ]


def _fuels(rows: Table) -> Iterator[dict[str, str]]:
    for row in rows:
        burnt = row["sheet"] == "Fuels" or row["activity"] in {"Biomass", "Biogas"}
        if burnt and row["unit"] in UNITS:
            yield {
                "unit": UNITS[row["unit"]],
                "name": FUELS.get(row["level2"], row["level2"].lower()),
                "ef_kg_co2eq_per_unit": row["kg_co2e"],
            }


def _gases(rows: Table) -> Iterator[dict[str, str]]:
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        if row["sheet"] != "Refrigerant & other" or row["column_text"] not in TOTAL_EMISSIONS:
            continue
        gas = GASES.get(row["level2"])
        for name in [""] if gas else names_of(row["level2"]):
            found.setdefault((gas or "refrigerants", name), row["kg_co2e"])
    for (category, name), kg in found.items():
        yield {
            "category": category,
            "subcategory": name,
            "unit": "kg",
            "ef_kg_co2eq_per_unit": kg,
        }


def names_of(published: str) -> list[str]:
    """The names by which people look a refrigerant up, such as hfc-134a, r134a and r-134a."""
    names = [name.strip().lower() for name in re.split(r"[/=()]", published) if name.strip()]
    numbers = [re.fullmatch(r"(?:h?cfc|hfc|r)-?(\d+\w*)", name) for name in names]
    designations = [form + one[1] for one in numbers if one for form in ("r", "r-")]
    return list(dict.fromkeys([*names, *designations]))


def epa_hub(published: Table) -> dict[str, Rows]:
    """The Emission Factors Hub of the US EPA, by data-entry type."""
    fuels = {"Natural Gas": "natural_gas", "Distillate Fuel Oil No. 2": "heating_oil"}
    combustion = [
        {
            "unit": "mmbtu",
            "name": fuels.get(row["detail"], row["detail"].lower()),
            "ef_kg_co2eq_per_unit": _co2e(row),
        }
        for row in published
        if row["table"] == "stationary_combustion"
    ]
    [steam] = [_co2e(row) for row in published if row["table"] == "steam_heat"]
    [power] = [_co2e(row, LB, LB * 1000) for row in published if row["item"] == "US Average"]
    energy = [("steam", "mmbtu", steam), ("district_heating", "mmbtu", steam)]
    travel = {row["item"]: row for row in published if row["table"] == "business_travel"}
    return {
        "energy_combustion": combustion,
        "purchased_energy": [
            {"carrier": carrier, "unit": unit, "ef_kg_co2eq_per_unit": kg}
            for carrier, unit, kg in [("electricity", "mwh", power), *energy]
        ],
        "road_travel": [
            {"vehicle_class": name.lower(), "ef_kg_co2eq_per_mile": _co2e(travel[name])}
            for name in ("Passenger Car", "Light-Duty Truck", "Motorcycle", "Bus")
        ],
        "train": [
            {
                "country_code": "US",
                "ef_kg_co2eq_per_km": _per_km(travel["Intercity Rail - National Average"]),
            }
        ],
        "plane": list(_hub_flights(travel)),
    }


def _hub_flights(travel: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, str]]:
    hauls = [row for name, row in travel.items() if name.startswith("Air Travel")]
    bounds = ["0", _shown(300 * MILE_KM), _shown(2300 * MILE_KM), ""]
    for row, lower, upper in zip(hauls, bounds[:-1], bounds[1:], strict=True):
        haul = row["item"].removeprefix("Air Travel - ").partition(" (")[0]
        for cabin in CABINS.values():
            yield {
                "category": haul.lower().replace(" ", "_"),
                "cabin_class": cabin,
                "ef_kg_co2eq_per_km": _per_km(row),
                "rfi_adjustment": "1",
                "min_distance": lower,
                "max_distance": upper,
            }


def _co2e(row: Mapping[str, str], co2: Decimal | int = 1, others: Decimal | int = 1) -> str:
    """Kilograms CO2eq; the table has grams of CH4 and N2O, unless `others` says otherwise."""
    carbon, methane, nitrous = (Decimal(row[name]) for name in ("co2_or_gwp", "ch4", "n2o"))
    return _shown(carbon * co2 + (methane * CH4 + nitrous * N2O) * others)


def _per_km(row: Mapping[str, str]) -> str:
    return _shown(round(Decimal(_co2e(row)) / MILE_KM, 9))


def _shown(value: Decimal) -> str:
    return f"{value.normalize():f}"


def epa_supply_chain(published: Table) -> Rows:
    """Factors per dollar of 2021 in prices that purchasers pay, by NAICS code."""
    return [
        {
            "purchase_institutional_code": row["naics2017"],
            "purchase_additional_code": "",
            "currency": "usd",
            "ef_kg_co2eq_per_currency": row["ef_with_margins"],
        }
        for row in published
    ]


def ademe(published: Table) -> dict[str, Rows]:
    """Values of the Base Empreinte, by data-entry type."""
    values = {row["rule"]: row["value"] for row in published}
    fuels = {
        "natural_gas": "logement . chauffage . gaz . facteur d'émission base carbone",
        "biomethane": "logement . chauffage . biogaz . facteur d'émission base carbone",
        "wood_logs": "logement . chauffage . bois . facteur d'émission bûches",
        "pellets": "logement . chauffage . bois . facteur d'émission granulés",
    }
    oil = {
        "kwh": "parc français . chauffage . empreinte fioul par m2 . intensité carbone fioul",
        "l": "logement . chauffage . intensité carbone fioul litre",
    }
    energy = {
        "electricity": "commun . intensité électricité",
        "district_heating": "logement . chauffage . réseau de chaleur . intensité carbone",
    }
    roads = {
        "bus": "transport . transports commun . bus . impact par km",
        "coach": "transport . transports commun . car . impact par km",
    }
    burnt = [
        *(("kwh", name, rule) for name, rule in fuels.items()),
        *((unit, "heating_oil", rule) for unit, rule in oil.items()),
    ]
    return {
        "energy_combustion": [
            {"unit": unit, "name": name, "ef_kg_co2eq_per_unit": values[rule]}
            for unit, name, rule in burnt
        ],
        "purchased_energy": [
            {"carrier": carrier, "unit": "kwh", "ef_kg_co2eq_per_unit": values[rule]}
            for carrier, rule in energy.items()
        ],
        "road_travel": [
            {"vehicle_class": name, "fuel": "", "ef_kg_co2eq_per_km": values[rule]}
            for name, rule in roads.items()
        ],
        "train": [{"country_code": "FR", "ef_kg_co2eq_per_km": values["transport . train . TGV"]}],
    }


def epfl(published: Table) -> dict[str, Rows]:
    """Figures that EPFL prints in the documentation of its calculator."""
    fuels = {
        "Natural gas": ("natural_gas", "kwh"),
        "Heating oil": ("heating_oil", "kwh"),
        "Biomethane": ("biomethane", "kwh"),
        "Wood pellets": ("pellets", "kg"),
        "Forest chips": ("forest_chips", "kg"),
        "Wood logs": ("wood_logs", "kg"),
    }
    [power] = [row["value"] for row in published if row["module"] == "building_rooms"]
    return {
        "energy_combustion": [
            {"unit": unit, "name": name, "ef_kg_co2eq_per_unit": row["value"]}
            for row in published
            for begins, (name, unit) in fuels.items()
            if row["item"].startswith(begins)
        ],
        "purchased_energy": [
            {"carrier": "electricity", "unit": "kwh", "ef_kg_co2eq_per_unit": power}
        ],
    }


def made_from(folder: Path) -> dict[str, dict[str, Rows]]:
    """Every set of the shelf that is stored as files, by name and by file."""
    condensed = table(folder, CONDENSED)
    years = sorted({row["year"] for row in condensed})
    return {
        **{f"uk-gov-{year}": uk_government(condensed, year) for year in years},
        "epa-hub-2024": epa_hub(table(folder, HUB)),
        "epa-supply-chain-1.2": {"purchases": epa_supply_chain(table(folder, SUPPLY_CHAIN))},
        "ademe-2023": ademe(table(folder, ADEME)),
        "epfl-2025": epfl(table(folder, EPFL)),
    }


def main() -> None:
    """Write the files of the shelf."""
    for name, files in made_from(Path(sys.argv[1])).items():
        (FIGURES / name).mkdir(exist_ok=True)
        for file, rows in files.items():
            if not rows:
                continue
            columns = list(dict.fromkeys(column for row in rows for column in row))
            with (FIGURES / name / f"{file}.csv").open("w", encoding="utf-8", newline="") as out:
                writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    main()
