"""Where a file places its units: below a unit that is there, and nowhere by mistake."""

from tests.worker_service.carbon.plane_files import opening
from worker_service.carbon.parse.references import read_units
from worker_service.carbon.parse.unit_places import UnitPlaces, unit_places

STAYS = "is not a unit, so the unit stays where it is in the tree"
HEADER = "unit_institutional_id,name,parent_unit_id\n"


def places(text: str, *known: str) -> UnitPlaces:
    return unit_places(read_units(opening(text)), known)


def test_units_stand_below_known_ones_and_those_of_the_file_in_any_case() -> None:
    found = places(f"{HEADER}SCI,Science,\nPHY,Physics,sci\nLAW,Law,  epfl \n", "EPFL")
    assert found.parents == {"SCI": None, "PHY": "sci", "LAW": "epfl"}
    assert found.warnings.is_empty()


def test_a_file_without_the_column_says_nothing_of_places() -> None:
    found = places("unit_institutional_id,name\nSCI,Science\n")
    assert (found.parents, found.warnings.is_empty()) == ({}, True)


def test_a_parent_that_nobody_knows_is_told_and_the_unit_stays_where_it_is() -> None:
    found = places(f"{HEADER}0555,Physics,828\n0556,Law,nowhere\n", "0828")
    assert found.parents == {}
    assert found.warnings.rows() == [
        (
            1,
            "parent_unit_id",
            "828",
            f"{STAYS}; 0828 is one: a spreadsheet may have dropped the zero",
        ),
        (2, "parent_unit_id", "nowhere", STAYS),
    ]
