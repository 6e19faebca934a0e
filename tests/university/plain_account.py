"""The account of examples/university in plain Python, without the product.

It reads the same files, and has every formula a second time, as the worked examples state them:
`python -m tests.university.plain_account` prints the totals.
"""

import csv
import math
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "examples/university"
Row = Mapping[str, str]
# (node of the emission tree, GHG scope, kg)
Emission = tuple[str, int, float]
# Of a row, the factors of its type and year, and the year.
Formula = Callable[[Row, list[Row], int], Iterator[Emission]]

# Units of measure, in the one beside which they stand in the files of factors.
IN_KWH = {"kwh": Fraction(1), "mwh": Fraction(1_000), "gwh": Fraction(1_000_000)}
IN_LITRES = {"l": Fraction(1), "hl": Fraction(100)}
IN_KG = {"kg": Fraction(1), "g": Fraction(1, 1_000), "t": Fraction(1_000)}
MEASURES = (IN_KWH, IN_LITRES, IN_KG)
REQUESTS = {"1_5": 3.0, "5_20": 12.5, "20_100": 60.0, "gt_100": 100.0}
AI_NODES = {"openai": "openai", "mistral ai": "mistral_ai"}
FUELS = {"natural_gas", "heating_oil"}
CABINS = {"economy": "eco", "business": "business", "first": "first"}
MODULE_OF = {
    "member": "headcount",
    "student": "headcount",
    "homeworking": "headcount",
    "plane": "professional_travel",
    "train": "professional_travel",
    "road_travel": "professional_travel",
    "energy_combustion": "buildings",
    "building_embodied_energy": "buildings",
    "purchased_energy": "buildings",
    "scientific": "equipment",
    "it": "equipment",
    "other": "equipment",
    "additional_purchases": "purchase",
    "scientific_equipment": "purchase",
    "it_equipment": "purchase",
    "consumable_accessories": "purchase",
    "biological_chemical_gaseous_product": "purchase",
    "services": "purchase",
    "vehicles": "purchase",
    "other_purchases": "purchase",
    "building": "buildings",
    "external_clouds": "external_cloud_and_ai",
    "research_facilities": "research_facilities",
    "mice_and_fish_animal_facilities": "research_facilities",
    "external_ai": "external_cloud_and_ai",
    "process_emissions": "process_emissions",
}


@dataclass
class Account:
    """The account of a year: every kilogram that was added, to be summed exactly at the end."""

    by_unit_and_module: dict[tuple[str, str], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    by_node: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    by_scope: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    entries: int = 0
    without_kg: int = 0
    fte: list[float] = field(default_factory=list)

    @property
    def total(self) -> float:
        """All kilograms."""
        return math.fsum(kg for part in self.by_scope.values() for kg in part)

    def add(self, kind: str, row: Row, emissions: list[Emission]) -> None:
        """Adds the emissions of an entry; without any, it is one that has no kilograms."""
        self.entries += 1
        self.without_kg += not emissions
        for node, scope, kg in emissions:
            self.by_unit_and_module[row["unit_institutional_id"], MODULE_OF[kind]].append(kg)
            self.by_scope[scope].append(kg)
            parts = node.split(".")
            for depth in range(len(parts)):
                self.by_node[".".join(parts[: depth + 1])].append(kg)


def rows_of(name: str) -> list[Row]:
    """The rows of a file, without spaces around values."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return [{key: value.strip() for key, value in row.items()} for row in csv.DictReader(file)]


def same(one: str, other: str) -> bool:
    """Whether two keys are one: case makes no difference."""
    return one.casefold() == other.casefold()


def converted(quantity: float, unit: str, wanted: str) -> float:
    """A quantity in another unit of measure; without a unit, it is in that one already."""
    if not unit:
        return quantity
    for measure in MEASURES:
        if unit.casefold() in measure and wanted.casefold() in measure:
            return quantity * float(measure[unit.casefold()] / measure[wanted.casefold()])
    raise AssertionError(f"{unit} is not {wanted}")


def great_circle_km(one: Row, other: Row) -> float:
    """By the haversine formula, on the mean radius of the earth."""
    a, b, c, d = (
        math.radians(float(place[key]))
        for place in (one, other)
        for key in ("latitude", "longitude")
    )
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(h))


AIRPORTS = {row["iata"]: row for row in rows_of("places/airports.csv")}
ROOMS = {(row["building_name"], row["room_name"]): row for row in rows_of("places/rooms.csv")}
RATES = {
    (row["currency"], row["year"]): float(row["units_per_eur"])
    for row in rows_of("places/rates.csv")
}
STATIONS = {(row["name"], row["country"]): row for row in rows_of("places/stations.csv")}


def people(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    """Every factor counts, each on its own node."""
    for factor in factors:
        parts = ("headcount_category", "headcount_class", "headcount_subclass")
        node = ".".join(factor[part] for part in parts if factor[part])
        units = float(row["fte"]) * float(factor["number_of_unit_per_fte"])
        yield node, 3, units * float(factor["ef_kg_co2eq_per_unit"])


def homeworking(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    [factor] = factors
    hours = float(row["fte"]) * float(row["hours_per_fte"])
    yield "homeworking", 3, hours * float(factor["ef_kg_co2eq_per_fte_hour"])


def plane(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    """The factor is that of the cabin whose band holds the distance of one trip."""
    ends = [AIRPORTS.get(row[key]) for key in ("origin_iata", "destination_iata")]
    for factor in factors:
        if row["distance_km"]:
            km = float(row["distance_km"])
        elif ends[0] and ends[1]:
            km = great_circle_km(ends[0], ends[1]) + float(factor["detour_km"])
        else:
            return
        least, most = float(factor["min_distance"]), float(factor["max_distance"] or "inf")
        if factor["cabin_class"] == row["cabin_class"] and least <= km < most:
            kg = km * float(row["number_of_trips"]) * float(factor["ef_kg_co2eq_per_km"])
            node = f"professional_travel.plane.{CABINS[row['cabin_class']]}"
            yield node, 3, kg * float(factor["rfi_adjustment"])


def train(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    """The country is CH if both ends are there, else the destination's, else the origin's."""
    origin = (row["origin_name"], row["origin_country_code"])
    destination = (row["destination_name"], row["destination_country_code"])
    country = destination[1] if destination[1] != "CH" else origin[1]
    of = {factor["country_code"]: factor for factor in factors}
    factor = of.get(country, of["RoW"])
    km = great_circle_km(STATIONS[origin], STATIONS[destination])
    km *= float(factor["detour_ratio"] or 1.2)
    leaf = {"second": "class_2", "first": "class_1"}[row["cabin_class"]]
    kg = km * float(row["number_of_trips"]) * float(factor["ef_kg_co2eq_per_km"])
    yield f"professional_travel.train.{leaf}", 3, kg


def road(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    factor = by_kind(factors, ("vehicle_class", row["vehicle_class"]), ("fuel", row["fuel"]))
    distance = float(row["distance"])
    if factor["ef_kg_co2eq_per_km"]:
        km = distance * 1.609344 if row["distance_unit"] == "mi" else distance
        yield "professional_travel.road", 3, km * float(factor["ef_kg_co2eq_per_km"])
    else:
        miles = distance if row["distance_unit"] == "mi" else distance / 1.609344
        yield "professional_travel.road", 3, miles * float(factor["ef_kg_co2eq_per_mile"])


def by_kind(factors: list[Row], kind: tuple[str, str], subkind: tuple[str, str]) -> Row:
    """The factor of kind and subkind, else the one of the kind without a subkind."""
    of_kind = [one for one in factors if same(one[kind[0]], kind[1])]
    exact = [one for one in of_kind if same(one[subkind[0]], subkind[1])]
    [factor] = exact or [one for one in of_kind if not one[subkind[0]]]
    return factor


def combustion(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    [factor] = [one for one in factors if same(one["name"], row["name"])]
    leaf = row["name"] if row["name"] in FUELS else "other"
    quantity = converted(float(row["quantity"]), row["unit"], factor["unit"])
    yield f"buildings.combustion.{leaf}", 1, quantity * float(factor["ef_kg_co2eq_per_unit"])


def embodied(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    """Each factor of the building counts; without its own, those of "default"."""
    own = [one for one in factors if same(one["building_name"], row["building_name"])]
    for factor in own or [one for one in factors if one["building_name"] == "default"]:
        kg = float(row["surface_m2"]) * float(factor["ef_kgco2eq_per_m2"])
        yield "buildings.construction_and_renovation", 3, kg


def purchased(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    [factor] = [one for one in factors if one["carrier"] == row["carrier"]]
    quantity = converted(float(row["quantity"]), row["unit"], factor["unit"])
    kg = quantity * float(factor["ef_kg_co2eq_per_unit"])
    yield f"buildings.purchased_energy.{row['carrier']}", 2, kg
    if factor["ef_losses_kg_co2eq_per_unit"]:
        losses = quantity * float(factor["ef_losses_kg_co2eq_per_unit"])
        yield "buildings.grid_losses", 3, losses


def equipment(leaf: str) -> Formula:
    """Hours that a row lacks come from the factor; an explicit 0 is 0."""

    def kilograms(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
        kind = ("equipment_class", row["equipment_class"])
        factor = by_kind(factors, kind, ("sub_class", row["sub_class"]))
        watt_hours = sum(
            float(row[f"{mode}_usage_hours_per_week"] or factor[f"{mode}_usage_hours_per_week"])
            * float(factor[f"{mode}_power_w"])
            for mode in ("active", "standby")
        )
        yield f"equipment.{leaf}", 2, watt_hours * 52 / 1_000 * float(factor["ef_kg_co2eq_per_kwh"])

    return kilograms


def process(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    factor = by_kind(factors, ("category", row["category"]), ("subcategory", row["subcategory"]))
    quantity = converted(float(row["quantity"]), row["unit"], factor["unit"])
    node = f"process_emissions.{row['category'].casefold()}"
    yield node, 1, quantity * float(factor["ef_kg_co2eq_per_unit"])


def additional(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    [factor] = [one for one in factors if same(one["name"], row["name"])]
    node = "purchases.additional" + (".ln2" if same(row["name"], "LN2") else "")
    kg = float(row["annual_consumption"]) * float(row["coef_to_kg"])
    yield node, 1, kg * float(factor["ef_kg_co2eq_per_kg"])


def facility(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    [factor] = [
        one for one in factors if same(one["researchfacility_id"], row["researchfacility_id"])
    ]
    share = float(row["use"]) / float(factor["total_use"])
    yield "research_facilities.facilities", 3, share * float(factor["kg_co2eq_sum"])


def animals(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    kind = ("researchfacility_id", row["researchfacility_id"])
    factor = by_kind(factors, kind, ("researchfacility_type", row["researchfacility_type"]))
    sources = [key.removeprefix("share_") for key in factor if key.startswith("share_")]
    kg = math.fsum(
        float(factor[f"share_{one}"]) * float(factor[f"kg_co2eq_sum_{one}"]) for one in sources
    )
    node = f"research_facilities.animal.{row['researchfacility_type']}"
    yield node, 3, float(row["use"]) / float(factor["total_use"]) * kg


def ai(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    factor = by_kind(factors, ("provider", row["provider"]), ("usage_type", row["usage_type"]))
    grams = factor["ef_g_co2eq_per_request"]
    per_request = float(grams) / 1_000 if grams else float(factor["ef_kg_co2eq_per_request"])
    requests = REQUESTS[row["requests_per_user_per_day"]] * float(factor["working_days"] or 230)
    leaf = AI_NODES.get(row["provider"].casefold(), "others")
    yield f"external.ai.{leaf}", 3, requests * float(row["fte_count"]) * per_request


def in_currency(amount: float, currency: str, wanted: str, year: int) -> float:
    """By way of the euro, at the rates of the year."""
    rates = {"EUR": 1.0, **{name: rate for (name, of), rate in RATES.items() if of == f"{year}"}}
    return amount if currency == wanted else amount / rates[currency] * rates[wanted]


def spending(leaf: str) -> Formula:
    """The factor with the additional code of the row, else the one of the code without any."""

    def kilograms(row: Row, factors: list[Row], year: int) -> Iterator[Emission]:
        added = row["purchase_additional_code"]
        exact = [one for one in factors if added and one["purchase_additional_code"] == added]
        code = row["purchase_institutional_code"]
        of_code = [one for one in factors if one["purchase_institutional_code"] == code]
        [factor] = exact or [one for one in of_code if not one["purchase_additional_code"]]
        spent = float(row["total_spent_amount"])
        amount = in_currency(spent, row["currency"] or "CHF", factor["currency"], year)
        kg = amount * float(factor["ef_kg_co2eq_per_currency"])
        yield f"purchases.goods_and_services.{leaf}", 3, kg

    return kilograms


def clouds(row: Row, factors: list[Row], year: int) -> Iterator[Emission]:
    kind = ("service_type", row["service_type"])
    factor = by_kind(factors, kind, ("provider", row["provider"]))
    amount = in_currency(
        float(row["spent_amount"]), row["currency"] or "EUR", factor["currency"], year
    )
    leaf = {"compute": "calcul", "storage": "stockage"}[row["service_type"]]
    yield f"external.clouds.{leaf}", 3, amount * float(factor["ef_kg_co2eq_per_currency"])


def rooms(row: Row, factors: list[Row], _: int) -> Iterator[Emission]:
    """Heating is electric or thermal, as the factor says, and has a conversion."""
    kind = ("building_name", row["building_name"])
    factor = by_kind(factors, kind, ("room_type", row["room_type"]))
    surface = float(ROOMS[row["building_name"], row["room_name"]]["surface_m2"])
    used = surface * float(row["room_allocation_ratio"] or 1)
    heating = {"thermal": ("heating_thermal", 1), "electric": ("heating_elec", 2)}
    parts = [(one, 2, one, 1.0) for one in ("lighting", "cooling", "ventilation")]
    node, scope = heating[factor["energy_type"]]
    parts.append((node, scope, "heating", float(factor["conversion_factor"] or 1)))
    for leaf, of_scope, column, conversion in parts:
        kwh = used * float(factor[f"{column}_kwh_per_square_meter"]) * conversion
        path = f"buildings.rooms.{leaf}.{row['room_type']}"
        yield path, of_scope, kwh * float(factor["ef_kg_co2eq_per_kwh"])


FORMULAS: Mapping[str, Formula] = {
    "member": people,
    "student": people,
    "homeworking": homeworking,
    "plane": plane,
    "train": train,
    "road_travel": road,
    "energy_combustion": combustion,
    "building_embodied_energy": embodied,
    "purchased_energy": purchased,
    "scientific": equipment("scientific"),
    "it": equipment("it"),
    "other": equipment("other"),
    "additional_purchases": additional,
    "scientific_equipment": spending("scientific_equipment"),
    "it_equipment": spending("it_equipment"),
    "consumable_accessories": spending("consumable_accessories"),
    "biological_chemical_gaseous_product": spending("biological_chemical_gaseous"),
    "services": spending("services"),
    "vehicles": spending("vehicles"),
    "other_purchases": spending("other"),
    "building": rooms,
    "external_clouds": clouds,
    "research_facilities": facility,
    "mice_and_fish_animal_facilities": animals,
    "external_ai": ai,
    "process_emissions": process,
}
# Where a row's own kilograms stand, of the types whose files have any.
OVERRIDES: Mapping[str, Callable[[Row], tuple[str, int]]] = {
    "member": lambda _: ("headcount", 3),
    "process_emissions": lambda row: (f"process_emissions.{row['category'].casefold()}", 1),
}


def accounts() -> Mapping[int, Account]:
    """The account of each year, from the manifest's files."""
    manifest = tomllib.loads((FOLDER / "seed.toml").read_text("utf-8"))
    found: dict[int, Account] = defaultdict(Account)
    factors = {
        (one["type"], year): rows_of(one["file"].format(year=year))
        for one in manifest["factors"]
        for year in one["years"]
    }
    files = [
        (one["type"], year, one["file"]) for one in manifest["activity"] for year in one["years"]
    ]
    for kind, year, name in files:
        for row in rows_of(name.format(year=year)):
            if kind == "member":
                found[year].fte.append(float(row["fte"]))
            if override := row.get("kg_co2eq", ""):
                node, scope = OVERRIDES[kind](row)
                found[year].add(kind, row, [(node, scope, float(override))])
            else:
                emissions = list(FORMULAS[kind](row, factors[kind, year], year))
                found[year].add(kind, row, emissions)
    return found


if __name__ == "__main__":
    for of_year, account in sorted(accounts().items()):
        print(f"{of_year}: {account.total:,.3f} kg CO2eq, {account.entries} entries")
        for path, kg in sorted(account.by_node.items()):
            if "." not in path:
                print(f"  {path}: {math.fsum(kg):,.3f}")
