"""What is on the shelf is accepted by the ledger, and is what its publishers state."""

import os
from pathlib import Path

import pytest

from carbonline.shelf.sets import FIGURES, ShelfSet, csv_of, shelf
from tests.carbonline.shelf.published_tables import TABLES, made_from
from tests.worker_service.carbon.plane_files import opening
from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.parse.factors import read_factors

DECLARED = {one.name: one for module in MODULES for one in module.types}
# The folder with the tables that the sets were made from; `make test` has none.
PUBLISHED = os.environ.get("REAL_DATA", "")
SET_AND_TYPE = [
    pytest.param(one, name, id=f"{one.name} {name}")
    for one in shelf().values()
    for name in one.files
]


@pytest.mark.parametrize(("chosen", "name"), SET_AND_TYPE)
def test_each_row_of_a_set_is_a_factor(chosen: ShelfSet, name: str) -> None:
    declared = DECLARED[name]
    assert isinstance(declared, DataEntryType)
    read = read_factors(declared, opening(chosen.content(name)))
    assert read.rejected.is_empty()
    assert read.unread_columns == ()
    assert read.accepted.height == len(chosen.rows(name)) > 0


def test_a_set_says_whose_it_is_and_under_which_licence() -> None:
    for one in shelf().values():
        assert all((one.title, one.publisher, one.source, one.licence, one.note))
        assert one.source.startswith("https://")


def test_every_file_of_figures_is_on_the_shelf() -> None:
    named = {FIGURES / one.name / file for one in shelf().values() for file in one.files.values()}
    assert set(FIGURES.rglob("*.csv")) == {path for path in named if path.suffix}


def test_the_wheel_stays_small() -> None:
    assert sum(path.stat().st_size for path in FIGURES.rglob("*.csv")) < 200_000


def test_published_figures_are_on_the_shelf() -> None:
    uk = {(r["cabin_class"], r["category"]): r for r in shelf()["uk-gov-2024"].rows("plane")}
    assert uk["economy", "long_haul"]["ef_kg_co2eq_per_km"] == "0.20011"
    [power] = shelf()["uk-gov-2024"].rows("purchased_energy")
    assert (power["ef_kg_co2eq_per_unit"], power["ef_losses_kg_co2eq_per_unit"]) == (
        "0.20705",
        "0.0183",
    )
    fuels = {row["name"]: row for row in shelf()["epa-hub-2024"].rows("energy_combustion")}
    # 53.06 kg CO2, 1 g CH4 times 28, and 0.1 g N2O times 265.
    assert fuels["natural_gas"]["ef_kg_co2eq_per_unit"] == "53.1145"


@pytest.mark.skipif(
    not PUBLISHED, reason="real data is compared with REAL_DATA=FOLDER; see CONTRIBUTING.md"
)
def test_the_sets_are_made_from_the_published_tables() -> None:
    folder = Path(PUBLISHED)
    assert [name for name in TABLES if not (folder / name).exists()] == []
    for name, files in made_from(folder).items():
        for file, rows in files.items():
            path = FIGURES / name / f"{file}.csv"
            if not rows:
                assert not path.exists()
                continue
            columns = dict.fromkeys(column for row in rows for column in row)
            whole = [{column: row.get(column, "") for column in columns} for row in rows]
            assert path.read_text("utf-8") == csv_of(whole)
