"""What was not read, and rows that look odd: shown where the person looks."""

import pytest

from tests.cases.conftest import Terminal
from tests.cases.great_circle import km

KG_PER_KM = 0.2
# Two lists of reference points differ by some hundred metres.
NEAR = 0.005


def test_a_misspelt_column_is_named_with_the_name_that_was_meant(terminal: Terminal) -> None:
    typed = terminal.submit("01_trips_column_misspelt.csv", 1991)

    assert typed.code == 0
    assert "number_of_trip" in typed.output
    assert "did you mean number_of_trips" in typed.output
    assert "Column not read: number_of_trips is 1 in each row." in typed.output
    assert "WARNING" in typed.output


def test_a_misspelt_override_is_named_with_the_name_that_was_meant(terminal: Terminal) -> None:
    typed = terminal.submit("02_override_column_misspelt.csv", 1992)

    assert "kg_co2e" in typed.output
    assert "did you mean kg_co2eq" in typed.output
    assert "WARNING" in typed.output


def test_a_misspelt_column_of_factors_is_named(terminal: Terminal) -> None:
    typed = terminal.load_factors("03_factors_rfi_column_misspelt.csv", 1993)

    assert "WARNING" in typed.output
    assert "rfi" in typed.output
    assert "not read" in typed.output


@pytest.mark.parametrize(
    ("what", "header", "meant"),
    [
        (("units", "--year", "1995"), "unit_institutional_id,nmae", "nmae (did you mean name?)"),
        (("locations",), "iata_code,latitude,longitude", "iata_code (did you mean iata?)"),
    ],
)
def test_a_needed_column_that_is_misspelt_is_named_with_the_one_that_was_meant(
    terminal: Terminal, what: tuple[str, ...], header: str, meant: str
) -> None:
    file = terminal.folder / "misspelt.csv"
    file.write_text(f"{header}\nGVA,46.2,6.1\n")
    typed = terminal.type("load", what[0], file, *what[1:])

    assert typed.code != 0
    assert "missing_columns" in typed.out
    assert meant in typed.output


def test_surplus_empty_fields_are_no_fault(terminal: Terminal) -> None:
    typed = terminal.submit("06_comma_at_the_end_of_every_row.csv", 1996)

    assert typed.code == 0
    assert "2 rows accepted" in typed.output
    assert terminal.kg(1996) == pytest.approx(
        KG_PER_KM * (km("GVA", "CDG") + km("ZRH", "LHR")), NEAR
    )


def test_fields_left_out_at_the_end_are_empty(terminal: Terminal) -> None:
    typed = terminal.submit("07_empty_cells_at_the_end_left_out.csv", 1997)

    assert "3 rows accepted" in typed.output
    kilometres = 3 * km("GVA", "CDG") + km("ZRH", "LHR")
    assert terminal.kg(1997) == pytest.approx(KG_PER_KM * kilometres, NEAR)


def test_the_same_airport_twice_is_warned_of(terminal: Terminal) -> None:
    typed = terminal.submit("18_same_airport.csv", 2008)

    assert typed.code == 0
    assert "SUCCESS with warnings" in typed.output
    assert "row 1" in typed.output
    assert "the same" in typed.output
    assert "GVA" in terminal.warnings(typed)
    assert terminal.kg(2008) == 0


def test_a_gap_between_bands_is_warned_of(terminal: Terminal) -> None:
    typed = terminal.load_factors("25_factors_with_a_gap.csv", 2015)

    assert typed.code == 0
    assert "WARNING" in typed.output
    assert "3,699" in typed.output
    assert "3,700" in typed.output


def test_a_file_says_what_it_replaces(terminal: Terminal) -> None:
    terminal.submit("06_comma_at_the_end_of_every_row.csv", 2017)

    typed = terminal.submit("27_second_file_of_the_year.csv", 2017)

    assert "1 row accepted" in typed.output
    assert "in place of 2 rows of 06_comma_at_the_end_of_every_row.csv" in typed.output
    assert terminal.kg(2017) == pytest.approx(KG_PER_KM * km("ZRH", "LHR"), NEAR)
