"""Ids with letters of other scripts that look like Latin ones."""

import pytest

from tests.worker_service.carbon.plane_files import GOOD, emissions_of, opening
from worker_service.carbon.lookalikes import foreign_letters, skeleton
from worker_service.carbon.parse.references import read_units
from worker_service.carbon.parse.units import doubtful_units

ES = "U+0421 CYRILLIC CAPITAL LETTER ES"
WIDE = ", ".join(
    f"U+FF{code} FULLWIDTH LATIN CAPITAL LETTER {one}"
    for code, one in (("23", "C"), ("24", "D"), ("27", "G"))
)
EN_A = "U+041D CYRILLIC CAPITAL LETTER EN, U+0410 CYRILLIC CAPITAL LETTER A"


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("\u0421DG", "cdg"),
        ("\u041d\u0410", "ha"),
        ("\u0391\u0392\u0395", "abe"),
        ("\uff23\uff24\uff27", "cdg"),
        ("é1", "é1"),
    ],
)
def test_a_skeleton_is_what_an_id_looks_like(written: str, seen: str) -> None:
    assert skeleton(written) == skeleton(written.lower()) == seen


def test_letters_that_only_look_latin_are_named_and_no_others() -> None:
    assert foreign_letters("\u041d\u0410\u041d\u0410") == EN_A
    assert foreign_letters("Zürich-1 日本 \u0416") == ""
    assert foreign_letters("\u0410\u0412\u0415\u041a\u041c").endswith(
        "CYRILLIC CAPITAL LETTER IE and 2 more"
    )


@pytest.mark.parametrize(
    ("units", "known", "warned"),
    [
        (["HA", "\u041d\u0410"], [], [(2, f"is a new unit; HA looks the same, but it has {EN_A}")]),
        (["\u041d\u0410", "HA"], [], [(1, f"is a new unit; HA looks the same, but it has {EN_A}")]),
        (["\u041d\u0410"], ["HA"], [(1, f"is a new unit; HA looks the same, but it has {EN_A}")]),
        (
            ["HA"],
            ["\u041d\u0410"],
            [(1, f"is a new unit; \u041d\u0410 looks the same, but \u041d\u0410 has {EN_A}")],
        ),
        # An institution may well write its ids in Cyrillic.
        (["\u041d\u0410", "\u0412\u0421", "\u0424\u0438\u0437\u0438\u043a\u0430"], [], []),
    ],
)
def test_a_new_unit_that_looks_like_another_is_a_warning(
    units: list[str], known: list[str], warned: list[tuple[int, str]]
) -> None:
    text = "unit_institutional_id,name\n" + "".join(f"{unit},N\n" for unit in units)
    found = doubtful_units(read_units(opening(text)).accepted, known).listed
    assert found.select("row", "reason").rows() == warned


def test_an_unknown_airport_that_looks_like_a_known_one_says_why_it_is_none() -> None:
    rows = [
        {**GOOD, "destination_iata": "\u0421DG"},
        {**GOOD, "destination_iata": "\uff23\uff24\uff27"},
        {**GOOD, "origin_iata": "QQZ"},
    ]
    outcomes = emissions_of(rows).outcomes.sort("row_number")
    assert outcomes["detail"].to_list() == [
        f"unknown airport \u0421DG (CDG looks the same, but it has {ES})",
        f"unknown airport \uff23\uff24\uff27 (CDG looks the same, but it has {WIDE})",
        "unknown airport QQZ",
    ]
    assert outcomes["outcome"].unique().to_list() == ["unknown_place"]


def test_an_airport_with_a_selector_that_nobody_sees_is_the_airport() -> None:
    rows = [{**GOOD, "origin_iata": "GV\ufe0fA", "destination_iata": "\u3164CDG\U000e0020"}]
    assert emissions_of(rows).outcomes["outcome"].to_list() == ["computed"]
