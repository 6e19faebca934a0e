"""Factors of process gases from global warming potentials; blends from their components."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

_FOLDER = Path(__file__).parent
POTENTIALS = _FOLDER / "global_warming_potentials.csv"
BLENDS = _FOLDER / "refrigerant_blends.csv"
# They count as nothing in blends, as in the tables of the US EPA, whose reports have none.
_HYDROCARBONS = dict.fromkeys(
    ("butane", "isobutane", "isopentane", "propane", "propylene"), Decimal()
)


def process_gases(assessment_report: str) -> Sequence[Mapping[str, str]]:
    """A factor file of process_emissions, by the potentials over 100 years of an IPCC report.

    `assessment_report` is a column of POTENTIALS: ar4, ar5 or ar6. A blend is left out if the
    report has no potential of one of its components.
    """
    potentials = potentials_of(assessment_report)
    gases = {"co2": Decimal(1), "ch4": potentials["ch4"], "n2o": potentials["n2o"]}
    refrigerants = {name: kg for name, kg in potentials.items() if name not in gases}
    known = potentials | _HYDROCARBONS
    for blend, components in blends().items():
        if all(component in known for component in components):
            refrigerants[blend] = blend_potential(components, known)
    return [
        *(_row(gas, "", kg) for gas, kg in gases.items()),
        *(
            _row("refrigerants", name, kg)
            for published, kg in sorted(refrigerants.items())
            for name in _names(published)
        ),
    ]


def blend_potential(
    components: Mapping[str, Decimal], potentials: Mapping[str, Decimal]
) -> Decimal:
    """The potential of a blend: the sum of its components' shares of mass times potentials.

    Source: IPCC 2006 Guidelines, volume 3, chapter 7, on blends.
    """
    return sum((share * potentials[name] for name, share in components.items()), Decimal())


def potentials_of(assessment_report: str) -> dict[str, Decimal]:
    """Kg CO2eq per kg of each gas that the report has a potential of."""
    with POTENTIALS.open(encoding="utf-8", newline="") as file:
        return {
            row["gas"]: Decimal(row[assessment_report])
            for row in csv.DictReader(file)
            if row[assessment_report]
        }


def blends() -> Mapping[str, Mapping[str, Decimal]]:
    """The components of each blend with their shares of its mass, which add up to 1."""
    found: dict[str, dict[str, Decimal]] = {}
    with BLENDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            share = Decimal(row["percent"]) / 100
            found.setdefault(row["blend"], {})[row["component"]] = share
    return found


def _names(published: str) -> Iterator[str]:
    """The names by which people look it up, such as hfc-134a, r134a and r-134a."""
    kind, _, number = published.partition("-")
    if kind != "r":
        yield published
    if kind in {"r", "hfc", "hcfc", "cfc"}:
        yield from (f"r{number}", f"r-{number}")


def _row(category: str, name: str, kg: Decimal) -> Mapping[str, str]:
    return {
        "category": category,
        "subcategory": name,
        "unit": "kg",
        "ef_kg_co2eq_per_unit": f"{kg.normalize():f}",
    }
