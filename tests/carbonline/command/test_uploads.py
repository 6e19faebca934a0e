"""Uploads as a person sees them: what one replaces is said, asked about, listed, taken back."""

import gzip
import json
import os
import pty
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.carbonline.command.answered import NOES, at_a_terminal
from tests.carbonline.command.terminal import SECONDS_MAX, Terminal, Typed
from tests.carbonline.command.test_commands import PLACES
from tests.warm_program import COMMAND

UNITS = "unit_institutional_id,name\n0828,Physics\n0829,Law\n"
# Made with a detour of 95 km, as the first figures were.
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance,detour_km\n"
    "all,economy,0.2,1,,,95\n"
)
KG_OF_A_TRIP = (407.5926178213096 + 95) * 0.2
UNIT_UPLOAD = (
    "origin_iata,destination_iata,user_institutional_id,cabin_class\n"
    "GVA,CDG,a1,economy\n"
    "CDG,GVA,a1,hammock\n"
)
UNIT_UPLOAD_CORRECTED = UNIT_UPLOAD.replace("hammock", "economy")
YEARS_HEADER = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class\n"
)
ONE_TRIP = YEARS_HEADER + "0829,CDG,GVA,a2,economy\n"


def trips(count: int) -> str:
    return YEARS_HEADER + "".join(f"0828,GVA,CDG,a{n},economy\n" for n in range(count))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack that has places."""
    terminal = Terminal(tmp_path_factory.mktemp("uploads"))
    with terminal.stack():
        assert terminal.type("load", "locations", terminal.file("places.csv", PLACES)).code == 0
        yield terminal


# By the folder of a stack, which other files of tests have, too.
YEARS: dict[Path, Iterator[int]] = defaultdict(lambda: iter(range(2031, 2060)))


class Year:
    """A year of one test alone, and a person who works on it."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.words = ("--year", str(next(YEARS[terminal.folder])))
        self.planes = ("--type", "plane", *self.words)
        for words in (
            ("load", "units", terminal.file("units.csv", UNITS), *self.words),
            ("load", "factors", terminal.file("factors.csv", FACTORS), *self.planes),
        ):
            assert terminal.type(*words).code == 0

    def submit(self, name: str, text: str | bytes, *words: str) -> str:
        """All that the command says of a file that is taken."""
        path = self.terminal.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        typed = self.terminal.type("submit", path, *self.planes, *words)
        assert typed.code == 0, typed
        return typed.err + typed.out

    def load_factors(self, text: str, *words: str) -> Typed:
        """What the command says of factors that are taken."""
        file = self.terminal.file("other_factors.csv", text)
        typed = self.terminal.type("load", "factors", file, *self.planes, *words)
        assert typed.code == 0, typed
        return typed

    def kg(self) -> float:
        """The year's total."""
        answer = json.loads(self.terminal.type("totals", *self.words, "--json").out)
        return float(answer["total"]["total_kg"]) if answer["rows"] else 0.0

    def uploads(self, *words: str) -> list[dict[str, object]]:
        """What counts."""
        answer = json.loads(self.terminal.type("uploads", *self.words, "--json", *words).out)
        rows: list[dict[str, object]] = answer["rows"]
        return rows


@pytest.fixture
def year(stack: Terminal) -> Year:
    """A year with units and factors, and nothing else."""
    return Year(stack)


def test_a_file_that_is_too_large_is_told_so_before_what_it_would_replace(year: Year) -> None:
    year.submit("trips.csv", trips(3))
    huge = year.terminal.file("huge.csv", trips(1))
    with huge.open("r+b") as file:
        file.truncate((2 << 30) + 1)
    for words in (("submit", huge), ("load", "factors", huge)):
        typed = year.terminal.type(
            *words, *year.planes, "--no" if words[0] == "submit" else "--yes"
        )
        assert (typed.code, "at most 2,147,483,648" in typed.err) == (2, True), typed
        assert "replaces" not in typed.err + typed.out
    huge.unlink()


def test_a_corrected_unit_file_takes_the_place_of_the_first(year: Year) -> None:
    year.submit("first.csv", UNIT_UPLOAD, "--unit", "0828")
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)
    said = year.submit("corrected.csv", UNIT_UPLOAD_CORRECTED, "--unit", "0828")
    assert year.kg() == pytest.approx(2 * KG_OF_A_TRIP)
    assert "This replaces 1 plane entry of first.csv (pipeline " in said
    assert f"), {KG_OF_A_TRIP:,.3f} kg." in said
    assert "2 rows accepted, in place of 1 row of first.csv (pipeline " in said
    before, now = f"{KG_OF_A_TRIP:,.3f}", f"{2 * KG_OF_A_TRIP:,.3f}"
    assert f"{before} kg before, {now} kg now (+{before})." in said
    [upload] = year.uploads()
    assert (upload["file_name"], upload["entries"]) == ("corrected.csv", 2)


@pytest.mark.parametrize(
    "saved_again",
    [UNIT_UPLOAD.replace("\n", "\r\n").encode(), gzip.compress(UNIT_UPLOAD.encode())],
    ids=["CRLF", "gzip"],
)
def test_a_unit_file_saved_again_is_the_same_rows(year: Year, saved_again: bytes) -> None:
    year.submit("first.csv", UNIT_UPLOAD, "--unit", "0828")
    said = year.submit("again.csv", saved_again, "--unit", "0828")
    assert "The same row was already loaded by pipeline " in said
    assert "; nothing was changed." in said
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)
    assert [upload["file_name"] for upload in year.uploads()] == ["first.csv"]


def test_a_second_file_of_the_year_says_what_it_replaced(year: Year) -> None:
    year.submit("trips_a.csv", trips(300))
    second = year.terminal.file("second.csv", ONE_TRIP)
    declined = year.terminal.type("submit", second, *year.planes, "--no")
    assert declined.err.endswith("More than half would be removed.\nNothing was submitted.\n")
    assert (declined.code, len(year.uploads())) == (9, 1)
    said = year.submit("second.csv", ONE_TRIP)
    assert "There is no terminal to ask at: this goes on as with --yes" in said
    assert "To have that refused, give --no." in said
    assert "Continue?" not in said
    assert "1 row accepted, in place of 300 rows of trips_a.csv (pipeline " in said
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)
    [gone] = [upload for upload in year.uploads("--all") if upload["state"] == "replaced"]
    [counting] = year.uploads()
    assert gone["replaced_by"] == counting["upload"]


def test_mended_rows_do_not_take_the_place_of_those_accepted(year: Year) -> None:
    year.submit("a.csv", UNIT_UPLOAD, "--unit", "0828")
    pipeline = year.uploads()[0]["pipeline"]
    written = year.terminal.folder / "mended.csv"
    year.terminal.type("rejected", str(pipeline), "-o", written)
    written.write_text(written.read_text("utf-8").replace("a1,hammock", "a1,economy"), "utf-8")
    words = ("submit", written, *year.planes, "--unit", "0828")
    refused = year.terminal.type(*words)
    assert refused.code != 0
    assert "as with --yes" not in refused.err
    assert "--source default_mended" in " ".join((refused.err + refused.out).split())
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)
    assert year.terminal.type(*words, "--source", "default_mended").code == 0
    assert year.kg() == pytest.approx(2 * KG_OF_A_TRIP)
    consented = year.terminal.type(*words, "--yes")
    assert "in place of 1 row of a.csv" in " ".join((consented.err + consented.out).split())


def test_two_agencies_files_stand_side_by_side(year: Year) -> None:
    year.submit("a.csv", trips(2))
    said = year.submit("b.csv", ONE_TRIP, "--source", "Agency B")
    assert "This replaces" not in said
    assert year.kg() == pytest.approx(3 * KG_OF_A_TRIP)
    said = year.submit("b2.csv", trips(3), "--source", "agency b")
    assert "This replaces 1 plane entry of b.csv" in said
    assert year.kg() == pytest.approx(5 * KG_OF_A_TRIP)


def test_the_same_rows_from_two_sources_are_a_warning(year: Year) -> None:
    year.submit("a.csv", trips(2))
    [first] = year.uploads()
    said = year.submit("b.csv", trips(2), "--source", "agency_b")
    assert "SUCCESS with warnings" in said
    assert f"carbonline withdraw {first['upload']}." in " ".join(said.split())
    assert year.kg() == pytest.approx(4 * KG_OF_A_TRIP)


def test_a_person_is_asked_before_more_than_half_of_the_entries_go(year: Year) -> None:
    year.submit("trips_a.csv", trips(3))
    year.terminal.file("one.csv", ONE_TRIP)
    words = ("submit", "one.csv", *year.planes)
    for no, exit_code in NOES.items():
        code, seen = at_a_terminal(year.terminal, *words, answer=no)
        assert (code, "Nothing was submitted." in seen) == (exit_code, True), seen
    assert year.kg() == pytest.approx(3 * KG_OF_A_TRIP)
    # Behind `su -c` or in a container, a person may type at a terminal that controls nothing.
    code, seen = at_a_terminal(year.terminal, *words, answer=b"y\n", controlling=False)
    assert (code, "Continue?" in seen) == (0, True), seen
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)


def test_a_person_who_pipes_a_file_in_is_asked_too(year: Year) -> None:
    year.submit("trips_a.csv", trips(3))
    words = ("submit", "-", *year.planes)
    for no, exit_code in NOES.items():
        code, seen = at_a_terminal(year.terminal, *words, answer=no, piped=ONE_TRIP)
        assert (code, "Nothing was submitted." in seen) == (exit_code, True), seen
    bad_rows = trips(3).replace("economy", "hammock", 2)
    code, seen = at_a_terminal(year.terminal, *words, answer=b"n\n", piped=bad_rows)
    assert (code, "Nothing was changed." in seen) == (9, True), seen
    assert year.kg() == pytest.approx(3 * KG_OF_A_TRIP)
    code, seen = at_a_terminal(year.terminal, *words, answer=b"y\n", piped=ONE_TRIP)
    assert (code, "Continue?" in seen) == (0, True), seen
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)


def test_where_a_person_looks_on_who_cannot_be_asked_most_stays(year: Year) -> None:
    year.submit("trips_a.csv", trips(3))
    one_trip = year.terminal.file("one.csv", ONE_TRIP)
    master, slave = pty.openpty()
    with one_trip.open() as stdin:
        # A session of its own has no terminal, though stderr is one.
        ended = subprocess.run(
            [*COMMAND, "submit", "-", *year.planes],
            check=False,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
            timeout=SECONDS_MAX,
            env=year.terminal.environment,
            cwd=year.terminal.folder,
        )
    os.close(slave)
    # A terminal breaks its lines somewhere.
    seen = " ".join(os.read(master, 1 << 16).decode().split())
    os.close(master)
    assert (ended.returncode, "add --yes" in seen) == (2, True), seen
    assert year.kg() == pytest.approx(3 * KG_OF_A_TRIP)


def test_a_person_is_not_asked_where_little_goes_or_who_says_yes(year: Year) -> None:
    year.submit("trips_a.csv", trips(3))
    year.terminal.file("two.csv", trips(2))
    code, seen = at_a_terminal(year.terminal, "submit", "two.csv", *year.planes)
    assert (code, "Continue?" in seen) == (0, False), seen
    year.terminal.file("empty.csv", ONE_TRIP)
    year.submit("trips_a.csv", trips(3))
    code, seen = at_a_terminal(year.terminal, "submit", "empty.csv", *year.planes, "--yes")
    assert (code, "Continue?" in seen) == (0, False), seen


def test_a_person_is_asked_before_rows_that_cannot_be_used_take_more_than_half_away(
    year: Year,
) -> None:
    year.submit("trips_a.csv", trips(3))
    year.terminal.file("two_are_bad.csv", trips(3).replace("economy", "hammock", 2))
    words = ("submit", "two_are_bad.csv", *year.planes)
    for no, exit_code in NOES.items():
        code, seen = at_a_terminal(year.terminal, *words, answer=no)
        assert (code, "Nothing was changed." in seen) == (exit_code, True), seen
        assert "2 rows are rejected; the first: row 1, cabin_class: " in " ".join(seen.split())
    declined = year.terminal.type(*words, "--no")
    assert (declined.code, "Nothing was changed." in declined.err) == (9, True), declined
    assert year.kg() == pytest.approx(3 * KG_OF_A_TRIP)
    code, seen = at_a_terminal(year.terminal, *words, answer=b"y\n")
    assert (code, "More than half would be removed. Continue?" in seen) == (0, True), seen
    assert seen.count("To watch it from another terminal") == 2
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)


def test_a_person_is_asked_before_more_than_half_of_the_kilograms_go(year: Year) -> None:
    year.submit("trips_a.csv", trips(3))
    year.terminal.file("lost.csv", trips(3).replace("CDG", "QQQ"))
    words = ("submit", "lost.csv", *year.planes)
    code, seen = at_a_terminal(year.terminal, *words, answer=b"n\n")
    assert (
        code,
        "3 rows have no kilograms; the first: unknown airport QQQ." in " ".join(seen.split()),
    ) == (9, True), seen
    assert year.kg() == pytest.approx(3 * KG_OF_A_TRIP)
    code, seen = at_a_terminal(year.terminal, *words, "--yes")
    assert (code, "Continue?" in seen) == (0, False), seen
    assert "0.000 kg now" in seen
    assert year.kg() == 0.0


def test_a_person_is_asked_before_what_entries_use_goes(year: Year) -> None:
    year.submit("a.csv", trips(2))
    year.terminal.file("another.csv", FACTORS.replace("economy", "first"))
    words = ("load", "factors", "another.csv", *year.planes, "--replace")
    code, seen = at_a_terminal(year.terminal, *words, answer=b"n\n")
    assert (code, "Factors that entries use would be removed. Continue?" in seen) == (9, True), seen
    assert year.kg() == pytest.approx(2 * KG_OF_A_TRIP)
    code, seen = at_a_terminal(year.terminal, *words, answer=b"y\n")
    assert (code, "More than half is gone." in " ".join(seen.split())) == (0, True), seen


def test_a_file_that_fails_is_said_to_have_replaced_nothing(year: Year) -> None:
    year.submit("a.csv", trips(2))
    empty = year.terminal.file("empty.csv", "")
    failed = year.terminal.type("submit", empty, *year.planes, "--yes")
    assert failed.code == 4
    assert "This replaces 2 plane entries of a.csv" in failed.err
    assert failed.err.endswith("Nothing was replaced: what counted before still counts.\n")


def test_an_upload_is_taken_back(year: Year) -> None:
    year.submit("a.csv", trips(2))
    year.submit("b.csv", ONE_TRIP, "--source", "agency_b")
    newest = str(year.uploads()[0]["upload"])
    typed = year.terminal.type("withdraw", newest)
    assert typed.code == 0, typed
    assert typed.err.startswith("This removes 1 plane entry of b.csv (pipeline ")
    before, now = f"{3 * KG_OF_A_TRIP:,.3f}", f"{2 * KG_OF_A_TRIP:,.3f}"
    assert f"{before} kg before, {now} kg now (-{KG_OF_A_TRIP:,.3f})." in typed.out
    assert year.kg() == pytest.approx(2 * KG_OF_A_TRIP)
    again = year.terminal.type("withdraw", newest)
    assert again.code == 2
    assert f"Upload {newest} no longer counts: it was withdrawn at " in again.err


def test_a_person_is_asked_before_most_of_the_year_is_taken_back(year: Year) -> None:
    year.submit("a.csv", trips(2))
    year.submit("b.csv", ONE_TRIP, "--source", "agency_b")
    small, large = (str(upload["upload"]) for upload in year.uploads())
    code, seen = at_a_terminal(year.terminal, "withdraw", large, answer=b"n\n")
    assert (code, "Continue?" in seen) == (9, True), seen
    declined = year.terminal.type("withdraw", large, "--no")
    assert (declined.code, "Nothing was submitted." in declined.err) == (9, True), declined
    code, seen = at_a_terminal(year.terminal, "withdraw", small)
    assert (code, "Continue?" in seen) == (0, False), seen
    assert year.kg() == pytest.approx(2 * KG_OF_A_TRIP)


def test_factors_say_the_kilograms_before_and_after(year: Year) -> None:
    year.submit("a.csv", trips(2))
    gone = " More than half is gone."
    for factor, trips_before, trips_now, end in (("0.4", 2, 4, ""), ("0.1", 4, 1, gone)):
        loaded = year.load_factors(FACTORS.replace("0.2", factor), "--take-away")
        before, now = trips_before * KG_OF_A_TRIP, trips_now * KG_OF_A_TRIP
        assert loaded.out.splitlines()[-1] == (
            f"professional_travel {year.words[1]}: {before:,.3f} kg before, {now:,.3f} kg now"
            f" ({now - before:+,.3f}).{end}"
        )


def test_factors_that_are_taken_away_say_the_kilograms_before_and_after(year: Year) -> None:
    year.submit("a.csv", trips(1))
    year.load_factors(FACTORS.replace("economy", "first"))
    removed = year.terminal.type("remove", "stale-factors", *year.planes, "--take-away")
    assert f"{KG_OF_A_TRIP:,.3f} kg before, 0.000 kg now (-{KG_OF_A_TRIP:,.3f})." in removed.out


def test_places_say_the_kilograms_of_each_year_that_they_change(year: Year) -> None:
    another = Year(year.terminal)
    another.submit("other.csv", trips(1))
    near = "iata,latitude,longitude\nXXA,0,0\nXXB,0,1\n"
    far = year.terminal.file("far.csv", near.replace("XXB,0,1", "XXB,0,40"))
    assert year.terminal.type("load", "locations", far).code == 0
    year.submit("flights.csv", ONE_TRIP.replace("CDG,GVA", "XXA,XXB"))
    file = year.terminal.file("near.csv", near)
    loaded = year.terminal.type("load", "locations", file, "--take-away")
    [line] = [line for line in loaded.out.splitlines() if " kg before, " in line]
    assert line.startswith(f"{year.words[1]}: ")
    assert line.endswith(" More than half is gone.")
    again = year.terminal.type("load", "locations", year.terminal.file("near.csv", near))
    assert again.out.splitlines()[-1].endswith(" years are unchanged.")


def test_withdrawing_what_is_not_an_upload_is_a_sentence(stack: Terminal) -> None:
    typed = stack.type("withdraw", "999999")
    assert typed.code == 2
    assert "There is no upload 999999. To list uploads: " in typed.err
    none = stack.type("uploads", "--year", "2099")
    assert (none.code, none.out) == (0, "")
    assert none.err == "No uploads of 2099 count.\n"
