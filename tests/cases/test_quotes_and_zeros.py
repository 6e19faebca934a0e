"""Rows that stray quotes swallow, numbers of two readings, factors of zero, pasted blocks."""

from tests.cases.conftest import Terminal


def test_rows_that_a_stray_quote_swallows_are_told(terminal: Terminal) -> None:
    typed = terminal.submit("36_quotes_that_swallow_rows.csv", 2009)

    assert "SUCCESS with warnings" in typed.output
    assert "1 row accepted, 1 rejected; the first: row 1, note" in typed.output
    assert '2 lines that look like rows of the file: a quote (") is missing' in typed.output
    assert "0829;ZRH;LHR;a1;economy" in terminal.rejected(typed)


def test_factors_that_make_flights_weigh_nothing_are_warned_of(terminal: Terminal) -> None:
    typed = terminal.load_factors("37_factors_of_zero.csv", 2028)

    assert "SUCCESS with warnings" in typed.output
    assert "2 rows with a warning; the first: row 1, ef_kg_co2eq_per_km: is 0" in typed.output
    listed = terminal.warnings(typed)
    assert "is 0, so" in listed
    assert "rfi_adjustment" in listed


def test_a_decimal_comma_that_an_empty_field_hides_is_told(terminal: Terminal) -> None:
    typed = terminal.submit("38_decimal_comma_hidden_by_an_empty_field.csv", 2029)

    assert "SUCCESS with warnings" in typed.output
    assert "1 row accepted, 1 rejected; the first: row 1, distance_km: is 407.5 if" in typed.output
    assert "0828,GVA,CDG,a1,economy,407,5" in terminal.rejected(typed)


def test_bands_of_a_few_kilometres_are_warned_of(terminal: Terminal) -> None:
    typed = terminal.load_factors("39_factors_with_points_between_commas.csv", 2030)

    assert "SUCCESS with warnings" in typed.output
    assert "is 3700 if the point separates thousands, and was read as 3.7: write" in typed.output


def test_a_file_that_was_pasted_below_itself_with_a_new_row_is_warned_of(
    terminal: Terminal,
) -> None:
    typed = terminal.submit("40_pasted_below_itself_and_one_more.csv", 2031)

    assert "SUCCESS with warnings" in typed.output
    assert "2 rows with a warning; the first: row 3: is identical to row 1: a" in typed.output
    assert "is identical to row 2" in " ".join(terminal.warnings(typed).split())


def test_a_number_that_its_comma_cuts_is_told_with_both_readings(terminal: Terminal) -> None:
    typed = terminal.submit("42_trips_with_a_comma_before_a_note.csv", 2033)

    assert typed.code == 0
    assert "is 1000 if its comma separates thousands, and was read as 1, with 000 in note" in (
        typed.output
    )
    assert "row 2, origin_iata: is in single quotes: leave them out" in typed.output
