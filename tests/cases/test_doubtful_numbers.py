"""Numbers that are read, and that other numbers of the file or of the ledger make doubtful."""

from tests.cases.conftest import FILES, Terminal


def test_distances_that_the_airports_contradict_are_warned_of(terminal: Terminal) -> None:
    typed = terminal.submit("30_distances_in_miles.csv", 2022)

    assert "SUCCESS with warnings" in typed.output
    assert "2 rows with a warning; the first: row 2, distance_km" in typed.output
    listed = " ".join(terminal.warnings(typed).split())
    assert "than the great circle from GVA to JFK, 6,2" in listed
    assert "are these miles? Write kilometres" in listed
    assert "less than half of the great circle from GVA to NRT, 9,8" in listed
    assert "CDG" not in listed


def test_points_before_three_digits_between_semicolons_are_warned_of(terminal: Terminal) -> None:
    typed = terminal.submit("31_points_between_semicolons.csv", 2023)

    assert "SUCCESS with warnings" in typed.output
    assert "2 rows with a warning; the first: row 1, kg_co2eq" in typed.output
    listed = " ".join(terminal.warnings(typed).split())
    assert "is 1250 if the point separates thousands, and was read as 1.25: write 1250" in listed
    assert "is 12000 if the point separates thousands, and was read as 12: write 12000" in listed


def test_such_points_in_a_file_of_factors_are_warned_of(terminal: Terminal) -> None:
    typed = terminal.load_factors("32_factors_with_points_between_semicolons.csv", 2025)

    assert "SUCCESS with warnings" in typed.output
    listed = " ".join(terminal.warnings(typed).split())
    assert "is 3700 if the point separates thousands, and was read as 3.7: write 3700" in listed
    assert "183" not in listed


def test_places_that_a_file_moves_far_are_warned_of_and_named(terminal: Terminal) -> None:
    typed = terminal.type("load", "locations", FILES / "33_places_swapped.csv")
    mended = terminal.type("load", "locations", FILES / "33_places_mended.csv")

    assert "SUCCESS with warnings" in typed.output
    assert "3 places are probably not where the file has them: GVA, CDG, XXQ." in typed.output
    assert "Latitude and longitude of 2 places look swapped" in typed.output
    listed = " ".join(terminal.warnings(typed).split())
    assert "GVA lies 5,886 km from where it is now" in listed
    assert "XXQ lies at 0, 0, where no place is" in listed
    assert "XYB" not in listed
    assert "has it here, too" in mended.output


def test_a_distance_cut_into_the_kilograms_is_told_wherever_the_airports_are_known(
    terminal: Terminal,
) -> None:
    typed = terminal.submit("43_distance_cut_into_kilograms.csv", 2015)

    assert "SUCCESS with warnings" in typed.output
    listed = " ".join(terminal.warnings(typed).split())
    assert "less than half of the great circle from GVA to JFK, 6,2" in listed
    assert "408" not in listed
