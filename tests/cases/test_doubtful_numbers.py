"""Numbers that are read, and that other numbers of the file or of the ledger make doubtful."""

from tests.cases.conftest import Terminal


def test_distances_that_the_airports_contradict_are_warned_of(terminal: Terminal) -> None:
    typed = terminal.submit("30_distances_in_miles.csv", 2022)

    assert "SUCCESS with warnings" in typed.said
    assert "2 rows with a warning; the first: row 2, distance_km" in typed.said
    listed = " ".join(terminal.warnings(typed).split())
    assert "than the great circle from GVA to JFK, 6,2" in listed
    assert "are these miles? Write kilometres" in listed
    assert "less than half of the great circle from GVA to NRT, 9,8" in listed
    assert "CDG" not in listed
