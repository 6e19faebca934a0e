"""Files of uploads as a person has them again: downloaded, copied to a year, restored."""

import gzip
import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import xlsxwriter

from tests.carbonline.command.answered import NOES, at_a_terminal
from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import PLACES
from tests.carbonline.command.test_uploads import (
    KG_OF_A_TRIP,
    ONE_TRIP,
    UNIT_UPLOAD_CORRECTED,
    YEARS_HEADER,
    Year,
    trips,
)

SAME = ("type", "unit", "source", "file_name", "sheet", "mapping", "blob", "entries")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack that has places."""
    terminal = Terminal(tmp_path_factory.mktemp("again"))
    with terminal.stack():
        assert terminal.type("load", "locations", terminal.file("places.csv", PLACES)).code == 0
        yield terminal


@pytest.fixture
def year(stack: Terminal) -> Year:
    """A year with units and factors, and nothing else."""
    return Year(stack)


def number_of(year: Year, *words: str) -> str:
    """The number of the only upload that is listed."""
    [upload] = year.uploads(*words)
    return str(upload["upload"])


def without_its_file(year: Year) -> str:
    """The number of an upload whose file retention has removed."""
    year.submit("gone.csv", trips(7))
    [upload] = year.uploads()
    blobs = year.terminal.folder / "data" / "blobs"
    digest = str(upload["blob"]).rpartition(":")[2]
    files = [path for path in blobs.rglob("*") if digest in path.name]
    assert files
    for path in files:
        path.unlink()
    return str(upload["upload"])


def test_a_file_is_downloaded_as_it_was_sent(year: Year) -> None:
    sent = gzip.compress(trips(2).encode())
    year.submit("packed.csv.gz", sent)
    number, file = number_of(year), year.terminal.folder / "again.csv.gz"
    told = year.terminal.type("download", number, "-o", file)
    said = f"packed.csv.gz of upload {number}, {len(sent)} bytes as they were sent, in {file}.\n"
    assert (told.code, told.out, told.err) == (0, "", said)
    assert file.read_bytes() == sent
    file.write_text("corrected")
    kept = year.terminal.type("download", number, "-o", file)
    assert (kept.code, file.read_text()) == (2, "corrected")
    assert year.terminal.type("download", number, "-o", file, "--force").code == 0
    assert file.read_bytes() == sent


def test_a_replaced_upload_has_its_file_too(year: Year) -> None:
    year.submit("first.csv", trips(2))
    number = number_of(year)
    year.submit("second.csv", trips(3))
    told = year.terminal.type("download", number, "-o", "-")
    assert (told.code, told.out) == (0, trips(2))


def test_of_a_file_of_several_types_all_of_it_comes_and_then_the_part(year: Year) -> None:
    text = (
        "unit_institutional_id,name,total_spent_amount,purchase_institutional_code,"
        "purchase_category\n0828,Cleaning,100,s1,services\n0828,Van,50,v1,vehicles\n"
    )
    file = year.terminal.file("purchases.csv", text)
    words = ("submit", file, "--module", "purchase", *year.words)
    assert year.terminal.type(*words).code == 0
    [van, cleaning] = [str(one["upload"]) for one in year.uploads()]
    for number in (van, cleaning):
        typed = year.terminal.type("download", number, "-o", "-")
        assert (typed.code, typed.out, "as they were sent" in typed.err) == (0, text, True), typed
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    for path in (year.terminal.folder / "data" / "blobs").rglob(f"{sha256}*"):
        path.unlink()
    typed = year.terminal.type("download", van, "-o", "-")
    assert (typed.code, "Van" in typed.out, "Cleaning" in typed.out) == (0, True, False), typed
    assert "purchases.csv was divided by type and is no longer kept as it was sent" in typed.err


def over_http(terminal: Terminal, upload: str) -> tuple[str, str]:
    """The text of an upload's file as the console links it, and the name that it comes under."""
    page, _, _ = terminal.type("console", "--print").out.strip().partition("login")
    token = (terminal.folder / "data" / "token").read_text().strip()
    request = urllib.request.Request(
        f"{page}v1/uploads/{upload}/content", headers={"authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode(), answer.headers["content-disposition"].rpartition("'")[2]


def test_the_console_links_all_of_a_file_of_several_types_and_then_the_part_by_its_name(
    year: Year,
) -> None:
    text = (
        "unit_institutional_id,name,total_spent_amount,purchase_institutional_code,"
        "purchase_category\n0828,Cleaning,100,s1,services\n0828,Van,70,v1,vehicles\n"
    )
    file = year.terminal.file("linked.csv", text)
    assert year.terminal.type("submit", file, "--module", "purchase", *year.words).code == 0
    [van, cleaning] = [str(one["upload"]) for one in year.uploads()]
    for number in (van, cleaning):
        assert over_http(year.terminal, number) == (text, "linked.csv")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    for path in (year.terminal.folder / "data" / "blobs").rglob(f"{sha256}*"):
        path.unlink()
    part, name = over_http(year.terminal, van)
    assert ("Van" in part, "Cleaning" in part) == (True, False)
    assert name.startswith("vehicles_rows_of_job_")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        over_http(year.terminal, "999999")


def test_what_is_not_there_is_a_sentence(year: Year) -> None:
    unknown = year.terminal.type("download", "999999", "-o", "x.csv")
    assert (unknown.code, "There is no upload 999999" in unknown.err) == (2, True)
    number = without_its_file(year)
    another = str(int(year.words[1]) - 1)
    for words in (("download", number, "-o", "x.csv"), ("copy", number, "--year", another)):
        told = year.terminal.type(*words)
        said = f"The file of upload {number} is missing in the store of files, although"
        assert (told.code, said in told.err) == (2, True), told
    assert not (year.terminal.folder / "x.csv").exists()


def test_a_damaged_file_is_not_written(year: Year) -> None:
    year.submit("damaged.csv", trips(5))
    [upload] = year.uploads()
    digest = str(upload["blob"]).rpartition(":")[2]
    [path] = [
        one
        for one in (year.terminal.folder / "data" / "blobs").rglob(f"*{digest}*")
        if one.read_bytes() == trips(5).encode()
    ]
    path.chmod(0o600)
    path.write_bytes(trips(5).replace("economy", "business").encode())
    told = year.terminal.type("download", str(upload["upload"]), "-o", "damaged_again.csv")
    assert (told.code, "BLOB_DAMAGED" in told.err) == (6, True), told
    assert not list(year.terminal.folder.glob("damaged_again*"))


def test_a_file_is_copied_to_another_year_with_all_that_was_said_of_it(stack: Terminal) -> None:
    last, year = Year(stack), Year(stack)
    text = trips(2).replace("origin_iata", "Von")
    last.submit("trips.csv", text, "--source", "agency", "--map", "Von=origin_iata")
    last.submit("others.csv", ONE_TRIP)
    [first] = last.uploads("--source", "agency")
    copied = stack.type("copy", str(first["upload"]), *year.words)
    assert copied.code == 0, copied
    assert "leaves out" not in copied.err
    assert year.kg() == pytest.approx(2 * KG_OF_A_TRIP)
    [upload] = year.uploads("--source", "agency")
    assert [upload[name] for name in SAME] == [first[name] for name in SAME]
    again = stack.type("copy", str(first["upload"]), *year.words)
    assert (again.code, "This replaces 2 plane entries" in again.err) == (0, True), again
    here = stack.type("copy", str(first["upload"]), *last.words)
    assert (here.code, "already: name another --year" in here.err) == (2, True)


def test_a_file_of_a_unit_is_copied_for_that_unit(stack: Terminal) -> None:
    last, year = Year(stack), Year(stack)
    last.submit("unit.csv", UNIT_UPLOAD_CORRECTED, "--unit", "0828")
    assert stack.type("copy", number_of(last), *year.words).code == 0
    [upload] = year.uploads()
    assert (upload["unit"], upload["entries"]) == ("0828", 2)


def dated(year: Year, years: list[int]) -> str:
    """The number of an upload with a trip in each of these years; only its own counts."""
    header = YEARS_HEADER.strip() + ",departure_date\n"
    rows = [f"0828,GVA,CDG,b{n},economy,{one}-03-01\n" for n, one in enumerate(years)]
    year.submit("dated.csv", header + "".join(rows))
    return number_of(year)


def test_rows_of_another_year_are_told_and_asked_about_before_a_copy(stack: Terminal) -> None:
    last, year = Year(stack), Year(stack)
    own, other = int(last.words[1]), int(year.words[1])
    number = dated(last, [own, own, other])
    words = ("copy", number, *year.words)
    for no, exit_code in NOES.items():
        code, seen = at_a_terminal(stack, *words, answer=no)
        told = " ".join(seen.split())
        assert "This leaves out 2 of 3 rows; the first: row 1, departure_date: " in told
        assert (code, "Nothing was submitted." in told) == (exit_code, True), seen
    declined = stack.type(*words, "--no")
    assert (declined.code, "Nothing was submitted." in declined.err) == (9, True), declined
    assert year.kg() == 0.0
    code, seen = at_a_terminal(stack, *words, answer=b"y\n")
    assert (code, "These rows would not count. Continue?" in seen) == (0, True), seen
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)


def test_a_file_without_a_row_for_the_year_is_not_submitted(stack: Terminal) -> None:
    last, year = Year(stack), Year(stack)
    own = int(last.words[1])
    number = dated(last, [own, own])
    told = stack.type("copy", number, *year.words, "--yes")
    assert (told.code, "Nothing was submitted." in told.err) == (4, True), told
    assert "departure_date" in told.out
    assert year.uploads("--all") == []


def test_a_copy_may_only_be_checked(stack: Terminal) -> None:
    last, year = Year(stack), Year(stack)
    own, other = int(last.words[1]), int(year.words[1])
    number = dated(last, [own, other])
    told = stack.type("copy", number, *year.words, "--check", "--json")
    assert told.code == 10, told
    check = json.loads(told.out)["check"]
    assert (check["rows"], check["rows_accepted"], check["rows_rejected"]) == (2, 1, 1)
    assert year.uploads("--all") == []
    both = stack.type("copy", number, *year.words, "--check", "--yes")
    assert (both.code, "--check neither asks" in both.err) == (2, True)


def test_a_wrong_replacement_is_taken_back(year: Year) -> None:
    year.submit("right.csv", trips(3))
    right = number_of(year)
    year.submit("wrong.csv", ONE_TRIP, "--yes")
    told = year.terminal.type("restore", right)
    assert told.code == 0, told
    assert "This replaces 1 plane entry of wrong.csv" in told.err
    assert year.kg() == pytest.approx(3 * KG_OF_A_TRIP)
    [upload] = year.uploads()
    assert (upload["file_name"], upload["entries"]) == ("right.csv", 3)
    counts = year.terminal.type("restore", str(upload["upload"]))
    assert (counts.code, "there is nothing to restore" in counts.err) == (2, True)


def test_a_withdrawal_says_how_to_have_back_what_counted_before(year: Year) -> None:
    year.submit("right.csv", trips(3))
    right = number_of(year)
    year.submit("wrong.csv", trips(4))
    told = year.terminal.type("withdraw", number_of(year), "--yes")
    said = " ".join(told.out.split())
    assert f"It had replaced upload {right} of right.csv. To have that back: " in said, told
    assert said.endswith(f"carbonline restore {right}")
    assert year.uploads() == []
    back = year.terminal.type("restore", right)
    assert (back.code, "This replaces" in back.err) == (0, False), back
    assert year.kg() == pytest.approx(3 * KG_OF_A_TRIP)


def test_a_restored_file_that_would_take_most_away_is_asked_about(year: Year) -> None:
    year.submit("small.csv", ONE_TRIP)
    small = number_of(year)
    year.submit("large.csv", trips(4))
    code, seen = at_a_terminal(year.terminal, "restore", small, answer=b"n\n")
    assert (code, "More than half would be removed. Continue?" in seen) == (9, True), seen
    declined = year.terminal.type("restore", small, "--no")
    assert declined.code == 9, declined
    assert year.kg() == pytest.approx(4 * KG_OF_A_TRIP)
    assert year.terminal.type("restore", small, "--yes").code == 0
    assert year.kg() == pytest.approx(KG_OF_A_TRIP)


def test_uploads_of_a_source_are_listed(year: Year) -> None:
    year.submit("a.csv", trips(2))
    year.submit("b.csv", ONE_TRIP, "--source", "Agency B")
    assert [one["file_name"] for one in year.uploads("--source", "agency b")] == ["b.csv"]
    none = year.terminal.type("uploads", *year.words, "--source", "nobody")
    assert (none.code, none.err) == (0, f"No such uploads of {year.words[1]} count.\n")


def test_a_sheet_stands_with_its_upload_and_is_read_again(stack: Terminal) -> None:
    last, year = Year(stack), Year(stack)
    file = stack.folder / "book.xlsx"
    with xlsxwriter.Workbook(file) as book:
        for name, count in (("Old", 3), ("New", 2)):
            sheet = book.add_worksheet(name)
            for row, line in enumerate(trips(count).splitlines()):
                sheet.write_row(row, 0, line.split(","))
    assert stack.type("submit", file, *last.planes, "--sheet", "New").code == 0
    [upload] = last.uploads()
    assert (upload["sheet"], upload["entries"]) == ("New", 2)
    assert stack.type("copy", str(upload["upload"]), *year.words).code == 0
    assert [one["entries"] for one in year.uploads()] == [2]
