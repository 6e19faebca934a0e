"""Numbers, dates, keys and marks as spreadsheets and databases write them."""

import pytest

from tests.cases.conftest import Terminal
from tests.cases.great_circle import km

KG_PER_KM = 0.2
NEAR = 0.005


def test_a_decimal_comma_with_three_digits_is_not_a_thousands_separator(terminal: Terminal) -> None:
    typed = terminal.load_factors("04_factors_decimal_comma_three_digits.csv", 1994)

    assert typed.code == 4
    assert "has a decimal comma: write 0.183" in typed.output
    assert "0183" not in typed.output


def test_whole_numbers_may_be_written_as_floats(terminal: Terminal) -> None:
    typed = terminal.submit("05_trips_written_as_floats.csv", 1995)

    assert "2 rows accepted, 1 rejected" in typed.output
    assert "row 3" in typed.output
    assert "must be a whole number" in typed.output
    assert terminal.kg(1995) == pytest.approx(KG_PER_KM * 3 * km("GVA", "CDG"), NEAR)


def test_the_line_that_says_the_separator_is_obeyed(terminal: Terminal) -> None:
    typed = terminal.submit("08_first_line_says_the_separator.csv", 1998)

    assert typed.code == 0
    assert "1 row accepted" in typed.output


def test_a_lost_zero_is_named_with_the_unit_that_was_meant(terminal: Terminal) -> None:
    typed = terminal.submit("09_leading_zeros_lost.csv", 1999)

    assert typed.code == 4
    assert "0828 is" in typed.output
    assert "zero" in typed.output


def test_ids_kept_as_text_formulas_are_read(terminal: Terminal) -> None:
    typed = terminal.submit("10_ids_kept_as_text_formulas.csv", 2000)

    assert typed.code == 0
    assert {one.unit for one in terminal.totals(2000).module_totals} == {"0828", "0829"}


def test_invisible_characters_in_keys_do_not_count(terminal: Terminal) -> None:
    typed = terminal.submit("11_invisible_character_in_an_id.csv", 2001)

    assert "3 rows accepted" in typed.output
    kilometres = 2 * km("GVA", "CDG") + km("ZRH", "LHR")
    assert terminal.kg(2001) == pytest.approx(KG_PER_KM * kilometres, NEAR)


def test_several_marks_of_byte_order_are_skipped(terminal: Terminal) -> None:
    assert "1 row accepted" in terminal.submit("12_byte_order_mark_twice.csv", 2002).output


def test_the_encoding_is_named_when_every_row_fails(terminal: Terminal) -> None:
    typed = terminal.submit("13_mac_roman_ids.csv", 2003)

    assert typed.code == 4
    assert "not UTF-8" in typed.output
    assert "Windows-1252" in typed.output
    assert "save it as CSV" in typed.output


def test_spaces_before_quotes_are_skipped(terminal: Terminal) -> None:
    typed = terminal.submit("15_space_before_quotes.csv", 2005)

    assert "1 row accepted" in typed.output
    assert terminal.kg(2005) == pytest.approx(KG_PER_KM * km("GVA", "CDG"), NEAR)


def test_a_nul_byte_is_told_with_its_place(terminal: Terminal) -> None:
    typed = terminal.submit("16_one_nul_byte.csv", 2006)

    assert "NUL" in typed.output
    assert "line 5" in typed.output


def test_a_dot_beside_decimal_commas_is_warned_of(terminal: Terminal) -> None:
    typed = terminal.submit("17_dot_as_thousands_separator.csv", 2007)

    assert "SUCCESS with warnings" in typed.output
    assert "1.000" in terminal.warnings(typed)
    assert "1.250,75" in terminal.rejected(typed)


def test_midnight_is_dropped_from_dates(terminal: Terminal) -> None:
    assert "2 rows accepted" in terminal.submit("19_dates_with_midnight.csv", 2024).output


def test_the_mark_at_the_end_of_a_file_is_not_a_row(terminal: Terminal) -> None:
    typed = terminal.submit("26_end_of_file_mark.csv", 2016)

    assert "1 row accepted" in typed.output
    assert "rejected" not in typed.output


def test_a_file_name_may_be_of_any_encoding(terminal: Terminal) -> None:
    name = b"fl\xfcge.csv"
    file = bytes(terminal.folder) + b"/" + name
    with open(file, "wb") as written:  # noqa: PTH123  a name that is not text
        written.write(
            b"unit_institutional_id,origin_iata,destination_iata,user_institutional_id,"
            b"cabin_class\n0828,GVA,CDG,a1,economy\n"
        )

    typed = terminal.type("submit", file, "--type", "plane", "--year", "2018")

    assert typed.code == 0, typed
    assert "1 row accepted" in typed.output
    assert "Traceback" not in typed.output
