"""Where a file places its units: below a unit that is there, and nowhere by mistake."""

import pytest

from tests.worker_service.carbon.plane_files import opening
from worker_service.carbon.file_mapping import FileMapping
from worker_service.carbon.parse import unit_places as module
from worker_service.carbon.parse.references import read_units
from worker_service.carbon.parse.unit_places import UnitPlaces, unit_places

STAYS = "is not a unit, so the unit stays where it is in the tree"
HEADER = "unit_institutional_id,name,parent_unit_id\n"


def places(text: str, *known: str) -> UnitPlaces:
    return unit_places(read_units(opening(text)), known)


def test_units_stand_below_known_ones_and_those_of_the_file_in_any_case() -> None:
    found = places(f"{HEADER}SCI,Science,\nPHY,Physics,sci\nLAW,Law,  epfl \n", "EPFL")
    assert found.parents == {"SCI": None, "PHY": "sci", "LAW": "epfl"}
    assert found.unknown.listed.is_empty()


def test_a_file_without_the_column_says_nothing_of_places() -> None:
    found = places("unit_institutional_id,name\nSCI,Science\n")
    assert (found.parents, found.unknown.listed.is_empty()) == ({}, True)


def test_a_parent_that_the_mapping_sets_is_that_of_each_unit() -> None:
    text = opening("unit_institutional_id,name\nSCI,Science\n")
    for top, parent in (("EPFL", "EPFL"), ("", None)):
        parsed = read_units(text, FileMapping(constants={"parent_unit_id": top}))
        assert unit_places(parsed, ["EPFL"]).parents == {"SCI": parent}


def test_a_parent_that_nobody_knows_is_told_and_the_unit_stays_where_it_is() -> None:
    found = places(f"{HEADER}0555,Physics,828\n0556,Law,nowhere\n", "0828")
    assert found.parents == {}
    assert found.unknown.listed.rows() == [
        (
            1,
            "parent_unit_id",
            "828",
            f"{STAYS}; 0828 is one: a spreadsheet may have dropped the zero",
        ),
        (2, "parent_unit_id", "nowhere", STAYS),
    ]


def test_of_many_unknown_parents_the_first_are_listed_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DOUBTFUL_UNITS_MAX", 2)
    found = places(HEADER + "".join(f"0{unit},Physics,nowhere\n" for unit in range(4)))
    assert found.unknown.listed["row"].to_list() == [1, 2]
    assert found.unknown.rows == {1, 2, 3, 4}
