"""A stack whose files are in an object store, as a person uses it; an emulator stands for S3."""

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.carbonline.command.terminal import SECONDS_MAX, Terminal
from tests.carbonline.command.test_commands import PLACES
from tests.worker_service.blobs.faulty_s3 import BUCKET, KEY, SECRET, FaultyS3, faulty_s3

UNITS = "unit_institutional_id,name\n0828,Physics\n"
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "all,economy,0.2,1,0,\n"
)
TRIPS = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class\n"
    "0828,GVA,CDG,a1,economy\n0828,CDG,GVA,a1,hammock\n"
)
OF_2024 = ("--type", "plane", "--year", "2024")


def bomb() -> bytes:
    """A zip of one file that unpacks to 20 MB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("trips.csv", TRIPS.encode() + bytes(20_000_000))
    return packed.getvalue()


# What a source may come with, the words that name it, and what a person hears.
REFUSED = {
    "a wrong secret": (
        b"",
        ("submit", "--from", "travel-api"),
        "refused to sign in: its client id",
    ),
    "a wrong password": (
        b"",
        ("load", "units", "--from", "unit-directory"),
        "The directory of units refused the user or the password. Nothing was changed.",
    ),
    "cell.csv": (
        TRIPS.encode() + b"0828,GVA," + b"x" * (11 << 20) + b",a1,economy\n",
        ("submit", "cell.csv", "--type", "plane"),
        "Line 4 is longer than 1,048,576 bytes",
    ),
    "blank.csv.gz": (
        gzip.compress(TRIPS.encode() + b",\n" * 2_100_000),
        ("submit", "blank.csv.gz", "--type", "plane"),
        "The file has more than 2,000,000 blank rows: remove them.",
    ),
    "bomb.zip": (
        bomb(),
        ("submit", "bomb.zip", "--type", "plane"),
        "The file is more than 400 times as large when it is unpacked",
    ),
}


class _Refuses(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def services_that_refuse() -> Iterator[dict[str, str]]:
    """The settings of a worker for a travel API and a directory that take nobody."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refuses)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    names = ("SITE", "DATASOURCE", "USER", "CLIENT_ID", "SECRET_ID")
    directory = {"URL": f"{url}/units", "USER": "somebody", "PASSWORD": "a-wrong-one"}
    travel = {"URL": url, "SECRET": "a-wrong-one-of-many-characters"} | dict.fromkeys(names, "x")
    try:
        yield {
            **{f"CARBONLINE_UNIT_DIRECTORY_{name}": value for name, value in directory.items()},
            **{f"CARBONLINE_TRAVEL_API_{name}": value for name, value in travel.items()},
        }
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def s3() -> Iterator[FaultyS3]:
    with faulty_s3() as server:
        yield server


@pytest.fixture(scope="module")
def terminal(s3: FaultyS3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack without a folder of files."""
    terminal = Terminal(tmp_path_factory.mktemp("objects"))
    place = {"CARBONLINE_BLOB_FOLDER": f"s3://{BUCKET}/of/carbonline"}
    terminal.environment |= s3.environment | place
    with services_that_refuse() as services:
        terminal.environment |= services
        with terminal.stack():
            terminal.load_for_planes(2024, units=UNITS, places=PLACES, factors=FACTORS)
            yield terminal


def kg(terminal: Terminal) -> float:
    totals = json.loads(terminal.type("totals", "--year", "2024", "--json").out)["total"]
    return float(totals["total_kg"])


def logs(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted((folder / "data" / "logs").iterdir()))


def test_from_a_file_to_totals_and_rejected_rows(terminal: Terminal, s3: FaultyS3) -> None:
    typed = terminal.type("submit", terminal.file("trips.csv", TRIPS), *OF_2024)
    assert (typed.code, "1 row accepted, 1 rejected" in typed.err) == (0, True), typed
    assert kg(terminal) == pytest.approx(407.5926178213096 * 0.2)
    number = typed.out.split("Pipeline ")[1].split()[0]
    assert "hammock" in terminal.type("rejected", number, "-o", "-").out
    assert not (terminal.folder / "data" / "blobs").exists()
    assert any(name.startswith("of/carbonline/local/") for name in s3.names())


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ((403, "AccessDenied"), "the object store refuses access (403 AccessDenied)"),
        ((400, "ExpiredToken"), "refuses access (400 ExpiredToken): check the credentials"),
        ((403, "QuotaExceeded"), "the store of files is full"),
    ],
)
def test_an_upload_that_the_store_refuses_is_told_and_the_totals_stay(
    terminal: Terminal, s3: FaultyS3, fault: tuple[int, str], said: str
) -> None:
    before = kg(terminal)
    s3.faults["PUT"] = fault
    try:
        file = terminal.file("more.csv", TRIPS.replace("hammock", "economy"))
        typed = terminal.type("submit", file, *OF_2024)
    finally:
        s3.faults.clear()
    assert (typed.code, said in " ".join(typed.err.split())) == (6, True), typed
    assert kg(terminal) == before


def test_each_source_that_fails_is_a_sentence_and_what_was_there_stays(
    terminal: Terminal, s3: FaultyS3
) -> None:
    year = ("--year", "2024")
    assert terminal.type("submit", terminal.file("trips.csv", TRIPS), *OF_2024).code == 0
    lists = [("totals", *year, "--json"), ("uploads", *year, "--json")]
    before = [terminal.type(*words).out for words in lists]
    for name, (content, words, sentence) in REFUSED.items():
        (terminal.folder / name).write_bytes(content)
        typed = terminal.type(*words, *year)
        told = " ".join((typed.out + typed.err).split())
        assert (typed.code, sentence in told) == (4, True), typed
        assert "a-wrong-one" not in told
    [upload] = json.loads(before[1])["rows"]
    sha256 = upload["blob"].rpartition(":")[2]
    s3.delete(*(name for name in s3.names() if sha256 in name))
    typed = terminal.type("download", str(upload["upload"]), "-o", "-")
    assert (typed.code, "is missing in the store of files" in typed.err) == (2, True), typed
    assert [terminal.type(*words).out for words in lists] == before


def test_a_job_waits_for_a_store_that_refuses_to_read_and_ends_when_it_gives_way(
    terminal: Terminal, s3: FaultyS3
) -> None:
    s3.faults["GET"] = (403, "AccessDenied")
    try:
        file = terminal.file("later.csv", TRIPS.replace("hammock", "economy"))
        submitted = terminal.type("submit", file, *OF_2024, "--no-watch", "--source", "later")
        assert submitted.code == 0, submitted
        until = time.monotonic() + 60
        while "refuses access" not in terminal.type("workers", "--json").out:
            assert time.monotonic() < until, "the worker does not say so"
    finally:
        s3.faults.clear()
    watched = terminal.type("watch", submitted.out.strip())
    assert (watched.code, "2 rows accepted" in watched.err) == (0, True), watched
    [ingest] = [
        job
        for job in json.loads(terminal.type("jobs", submitted.out.strip(), "--json").out)["rows"]
        if job["job_type"] == "csv_ingest"
    ]
    assert ingest["attempts"] == 1


def test_a_job_that_meets_a_full_bucket_waits_for_room_and_the_worker_says_so(
    terminal: Terminal, s3: FaultyS3
) -> None:
    assert terminal.type("pause", "csv_ingest").code == 0
    submitted = terminal.type(
        "submit", terminal.file("full.csv", TRIPS), *OF_2024, "--no-watch", "--source", "full"
    )
    s3.faults["PUT"] = (403, "QuotaExceeded")
    try:
        assert terminal.type("resume", "csv_ingest").code == 0
        until = time.monotonic() + 60
        while "blobs: the object store is full (403" not in terminal.type("workers", "--json").out:
            assert time.monotonic() < until, "the worker does not say so"
    finally:
        s3.faults.clear()
    watched = terminal.type("watch", submitted.out.strip())
    assert (watched.code, "1 row accepted, 1 rejected" in watched.err) == (0, True), watched
    rows = json.loads(terminal.type("jobs", submitted.out.strip(), "--json").out)["rows"]
    assert {job["attempts"] for job in rows} == {1}


def test_no_secret_is_in_a_log_a_list_or_a_payload(terminal: Terminal) -> None:
    lists = [terminal.type(*words, "--json").out for words in (("workers",), ("jobs",))]
    shown = logs(terminal.folder) + "".join(lists)
    assert KEY not in shown
    assert SECRET not in shown


def test_a_setting_with_a_secret_is_refused_and_not_repeated(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "worker_service", "ledger"],
        check=False,
        capture_output=True,
        text=True,
        env={
            "CARBONLINE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "CARBONLINE_LEDGER_ADDRESS": f"unix:{tmp_path}/ledger",
            "CARBONLINE_BLOB_FOLDER": f"s3://{KEY}:{SECRET}@bucket/prefix",
        },
        timeout=SECONDS_MAX,
    )
    said = ended.stdout + ended.stderr
    assert (ended.returncode, "credentials come from the environment" in said) == (2, True), said
    assert SECRET not in said
