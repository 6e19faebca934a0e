"""Files that cannot be used: the job says why, and what counting before counts on."""

import gzip
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest

from carbonline.client.errors import ServerError
from carbonline.v1 import types_pb2
from tests.worker_service.blobs.in_folder import in_folder
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    HEADER,
    JFK,
    PLACES,
    PLANE,
    TRAVEL,
    UNITS,
    YEAR,
    WorkerHarness,
    flights,
)
from worker_service.blobs.reference import BlobReference, read_reference
from worker_service.blobs.store import BlobReader, BlobStore
from worker_service.carbon.csv_source.byte_stream import READ_BYTES
from worker_service.carbon.csv_source.survey import LINE_BYTES_MAX
from worker_service.steps.stores import Stores
from worker_service.worker import steps_of

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"

MISSING = "blob:sha256:" + "0" * 64
PLANES: Mapping[str, Any] = {"module": TRAVEL, "data_entry_type": PLANE, "year": YEAR}
LOCATIONS: Mapping[str, Any] = {"reference_kind": "locations"}


def workbook() -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


@dataclass(frozen=True)
class Case:
    """A job over a file, and how it must end; `said` is how its message begins."""

    cause: str
    said: str
    file: bytes | str = ""
    job_type: str = "csv_ingest"
    scope: Mapping[str, Any] = field(default_factory=lambda: PLANES)
    payload: Callable[[WorkerHarness], Mapping[str, Any]] = lambda _harness: {}


def missing(_harness: WorkerHarness) -> Mapping[str, Any]:
    return {"blob": MISSING}


def damaged(harness: WorkerHarness) -> Mapping[str, Any]:
    blob = harness.blob(flights(CDG, CDG))
    path = in_folder(harness.stores.blobs).path(read_reference("local", blob))
    path.write_bytes(path.read_bytes().replace(b"CDG", b"JFK"))
    return {"blob": blob}


def of_another_tenant(harness: WorkerHarness) -> Mapping[str, Any]:
    with harness.stores.blobs.begin("another", "file.csv") as upload:
        upload.write(flights(JFK).encode())
        return {"blob": str(upload.keep().reference)}


def by_boat(_harness: WorkerHarness) -> Mapping[str, Any]:
    return {"transport_mode": "boat"}


def by_plane(_harness: WorkerHarness) -> Mapping[str, Any]:
    return {"transport_mode": "plane"}


REFUSED = {
    "a picture": Case("not_text", "This is a picture; a workbook or a CSV is needed.", PNG),
    **{
        name: Case("not_text", f"This is {name}; unpack it and send its file", content)
        for name, content in {
            "a 7-Zip archive": b"7z\xbc\xaf\x27\x1c\0\4",
            "a RAR archive": b"Rar!\x1a\x07\x01\0",
            "a bzip2 archive": b"BZh91AY&SY",
            "an xz archive": b"\xfd7zXZ\0\0",
        }.items()
    },
    "a workbook": Case("damaged_archive", "The workbook cannot be read: it is damaged", workbook()),
    "UTF-16": Case("not_text", "This is UTF-16 text; save it", flights(CDG).encode("utf-16")),
    "UTF-32": Case("not_text", "This is UTF-32 text; save it", flights(CDG).encode("utf-32")),
    "UTF-16 without a mark": Case(
        "not_text",
        "The file contains NUL bytes: it may be UTF-16 text; save it as CSV in UTF-8.",
        flights(CDG).encode("utf-16-le"),
    ),
    "one NUL byte": Case(
        "not_text",
        "The file contains NUL bytes, the first in line 3 (row 2), byte 6: it is not a CSV in text",
        flights(CDG, CDG.replace("GVA", "\0VA")),
    ),
    "an empty file": Case("empty", "The file is empty.", b""),
    "blank lines": Case("empty", "The file is empty.", b"\n \n\n"),
    "a web page that is called a workbook": Case(
        "not_text",
        "This is a web page or XML, whatever its name says; open it in a spreadsheet and save it",
        b"\xef\xbb\xbf<HTML><table><tr><td>unit_institutional_id</td></tr></table></HTML>",
    ),
    "JSON": Case("not_text", "This is JSON; a CSV in UTF-8 is needed.", '[{"origin_iata": "GVA"}]'),
    "entries without a unit": Case(
        "missing_columns",
        "The header lacks the column unit_institutional_id; it has: origin_iata, destination_iata,"
        " user_institutional_id, cabin_class; if all rows are of one unit, name it with --unit.",
        "origin_iata,destination_iata,user_institutional_id,cabin_class\nGVA,CDG,1,economy\n",
    ),
    "factors as entries": Case(
        "missing_columns",
        "The header lacks the columns unit_institutional_id, origin_iata, destination_iata,"
        " user_institutional_id; it has: category, cabin_class, ef_kg_co2eq_per_km. These are the"
        " columns of plane factors: carbonline load factors --type plane.",
        "category,cabin_class,ef_kg_co2eq_per_km\nall,economy,0.2\n",
    ),
    "a header of quotes": Case(
        "missing_columns",
        "The header lacks the columns unit_institutional_id, origin_iata, destination_iata,"
        ' user_institutional_id, cabin_class; it is: "","","".',
        '"","",""\n0828,GVA,CDG\n',
    ),
    "only a header": Case("no_rows", "The file has a header and no rows.", HEADER),
    "another header": Case(
        "missing_columns",
        "The header lacks the columns origin_iata, destination_iata, user_institutional_id, ",
        "unit_institutional_id,from,to\n0828,GVA,CDG\n",
    ),
    "units whose names are misspelt": Case(
        "missing_columns",
        "The header lacks the column name; it has: unit_institutional_id, nmae (did you mean"
        " name?).",
        "unit_institutional_id,nmae\n0828,Physics\n",
        "unit_sync",
        {"year": YEAR},
    ),
    "units in French": Case(
        "missing_columns",
        "The header lacks the columns unit_institutional_id, name; it has: Code unité (did you"
        " mean unit_institutional_id?), Nom (did you mean name?).",
        "Code unité;Nom\n0828;Physique\n",
        "unit_sync",
        {"year": YEAR},
    ),
    "places of another program": Case(
        "missing_columns",
        "The header lacks the columns iata, latitude, longitude; it has: iata_code (did you mean"
        " iata?), name, lat (did you mean latitude?), lng (did you mean longitude?).",
        "iata_code,name,lat,lng\nGVA,Geneva,46.2,6.1\n",
        "reference_ingest",
        LOCATIONS,
        by_plane,
    ),
    "factors in German": Case(
        "missing_columns",
        "The header lacks the columns category, cabin_class, ef_kg_co2eq_per_km; it has: Kategorie"
        " (did you mean category?), Klasse (did you mean cabin_class?), Emissionsfaktor (did you"
        " mean ef_kg_co2eq_per_km?).",
        "Kategorie;Klasse;Emissionsfaktor\nkurz;economy;0,2\n",
        "factor_ingest",
    ),
    "a column twice": Case(
        "duplicate_columns",
        "The header has these columns twice: cabin_class; keep one of each.",
        HEADER.strip() + ",cabin_class\n0828,GVA,CDG,1,economy,1,,first\n",
    ),
    "no known encoding": Case(
        "encoding",
        "The file is neither UTF-8 nor Windows-1252 text: see line 2 (row 1), byte 14; save it",
        (HEADER + "0828,GVA,CDG,").encode() + b"\x81\x8d,economy,1,\n",
    ),
    "quotes that stay open": Case(
        "open_quotes", "", HEADER + '0828,GVA,CDG,"1,economy,1,\n' + CDG + "\n"
    ),
    "half a gzip file": Case(
        "damaged_gzip",
        "The gzip file is damaged or cut off",
        gzip.compress((flights(CDG) * 1000).encode())[:-40],
    ),
    "no good row": Case(
        "no_valid_rows",
        "The only row cannot be used, so nothing was changed; row 1, unit_institutional_id: ",
        flights("9999,GVA,CDG,1,economy,1,"),
    ),
    "no blob": Case(
        "blob_not_found",
        f"There is no {MISSING}: upload it first. If you have, this worker and the ledger process"
        " use different folders: set CARBONLINE_BLOB_FOLDER to the same folder for all.",
        payload=missing,
    ),
    "another tenant's blob": Case(
        "blob_not_found", "There is no blob:sha256:", payload=of_another_tenant
    ),
    "a damaged blob": Case("blob_damaged", "The stored bytes of blob:sha256:", payload=damaged),
    "a unit that nobody knows": Case(
        "unknown_unit",
        "9999 is not a unit of the institution. If it is new, load it first.",
        flights(CDG),
        scope={**PLANES, "unit": "9999"},
    ),
    "a unit whose zero is lost": Case(
        "unknown_unit",
        "828 is not a unit of the institution. Did you mean 0828? If it is new, load it first.",
        flights(CDG),
        scope={**PLANES, "unit": "828"},
    ),
    "semicolons below a header with commas": Case(
        "mixed_separators",
        "The header has commas between its columns, and the rows have semicolons: use one of them"
        " in the whole file.",
        flights(CDG.replace(",", ";")),
    ),
    "no good factor": Case(
        "no_valid_rows",
        "No factor can be used, so nothing was changed; row 1, ef_kg_co2eq_per_km: ",
        FACTORS.splitlines()[0] + "\nshort,economy,dear,1,0,800\n",
        "factor_ingest",
    ),
    "no good unit": Case(
        "no_valid_rows",
        "No unit can be used, so nothing was changed; row 1, unit_institutional_id: is missing.",
        "unit_institutional_id,name\n,Physics\n",
        "unit_sync",
        {"year": YEAR},
    ),
    "no good place": Case(
        "no_valid_rows",
        "No place can be used, so nothing was changed; row 1, latitude: ",
        "iata,latitude,longitude\nGVA,146.2,6.1\n",
        "reference_ingest",
        LOCATIONS,
        by_plane,
    ),
    "places on no known way": Case(
        "unknown_transport_mode",
        "payload.transport_mode must be one of plane, train, not 'boat'.",
        PLACES,
        "reference_ingest",
        LOCATIONS,
        by_boat,
    ),
}


async def refused(harness: WorkerHarness, pipeline_id: int) -> types_pb2.Job:
    """The pipeline's only job, which ended ERROR: nothing follows it, nothing is tried again."""
    view = await harness.ended(pipeline_id)
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_FAILED
    [job] = view.in_order()
    assert (job.result, job.attempts) == (types_pb2.JOB_RESULT_ERROR, 1)
    return job


async def test_what_cannot_be_used_is_refused_in_words_and_what_counted_counts_on(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG))
    totals = await harness.totals()
    assert float(totals["0828"].total) == pytest.approx(GVA_CDG_KG)
    told = {}
    for name, case in REFUSED.items():
        payload = case.payload(harness)
        text = None if "blob" in payload else case.file
        submitted = await harness.submit(case.job_type, text, payload=payload, **case.scope)
        job = await refused(harness, submitted)
        assert job.message.endswith("."), name
        # With the mapping that is proposed, for whoever wants to type it.
        assert len(job.message) < 400, name
        told[name] = (job.error_cause, job.message[: len(case.said)])
    assert told == {name: (case.cause, case.said) for name, case in REFUSED.items()}
    assert await harness.totals() == totals
    assert await harness.rows("SELECT FROM carbon.entry_sets WHERE state = 'RETIRED'") == []
    assert await harness.rows("SELECT FROM carbon.factor_versions WHERE version > 1") == []


class CountingBlobs(BlobStore):
    """Adds up what is read of the blobs that were opened since."""

    def __init__(self, blobs: BlobStore) -> None:
        super().__init__(blobs.folder, blobs.bytes_max)
        self.bytes_read = 0
        self.lock = threading.Lock()

    def open(self, reference: BlobReference) -> BlobReader:
        """Counted at each read."""
        counting, reader = self, super().open(reference)
        read = reader.read

        def read_and_count(size: int, /) -> bytes:
            piece = read(size)
            with counting.lock:
                counting.bytes_read += len(piece)
            return piece

        reader.read = read_and_count  # type: ignore[method-assign]
        return reader


async def test_a_line_without_an_end_is_refused_without_reading_much_of_it(
    idle_harness: WorkerHarness,
) -> None:
    blobs = CountingBlobs(in_folder(idle_harness.stores.blobs))
    idle_harness.steps.update(steps_of(Stores(idle_harness.ledger, blobs)))
    async with idle_harness.working():
        await idle_harness.load_units(UNITS)
        blobs.bytes_read = 0
        content = HEADER.encode() + b"0828,GVA," + b"x" * (40 << 20)
        job = await refused(idle_harness, await idle_harness.submit_flights(content))
    assert job.error_cause == "line_too_long"
    assert "is longer than 1,048,576 bytes" in job.message
    assert LINE_BYTES_MAX < blobs.bytes_read <= LINE_BYTES_MAX + 2 * READ_BYTES


AT_SUBMISSION: Sequence[tuple[Mapping[str, Any], Mapping[str, Any], str, str]] = (
    ({"year": YEAR + 1}, {}, "YEAR_NOT_PROVISIONED", ""),
    ({"module": 99}, {}, "FIELD_INVALID", "scope.module"),
    ({"module": 0}, {}, "FIELD_INVALID", "scope.module"),
    ({"data_entry_type": 99}, {}, "FIELD_INVALID", "scope.data_entry_type"),
    ({}, {"blob": "file:///etc/passwd"}, "FIELD_INVALID", "payload.blob"),
    ({}, {"blob": "blob:sha256:../../x"}, "FIELD_INVALID", "payload.blob"),
    ({}, {"blob": 7}, "FIELD_INVALID", "payload.blob"),
)


async def test_what_is_refused_at_submission_never_becomes_a_job(
    harness: WorkerHarness,
) -> None:
    before = await harness.rows("SELECT max(job_id) FROM scheduler.jobs")
    for scope, payload, reason, where in AT_SUBMISSION:
        with pytest.raises(ServerError) as refusal:
            await harness.submit(
                "csv_ingest", None, payload={"blob": MISSING, **payload}, **{**PLANES, **scope}
            )
        assert refusal.value.reason == reason
        assert (where in refusal.value.fields) == bool(where)
    assert await harness.rows("SELECT max(job_id) FROM scheduler.jobs") == before
