"""Files go through the gateway chunk by chunk."""

import asyncio
from pathlib import Path

import pytest

from carbonline.client.json_struct import struct_of
from carbonline.v1 import scheduler_pb2, types_pb2
from gateway_service.files import download
from gateway_service.server import RunningGateway
from tests.gateway.http_client import HttpClient
from tests.gateway.test_streams import until
from tests.scheduler_service.rpc.conftest import BLOB, Client

ROWS = b"unit_institutional_id,name\n0828,Physics\n"
HEADER = b"unit,kg,row,reason\n"


async def test_a_file_comes_back_as_it_was_sent(http: HttpClient) -> None:
    content = ROWS * 50_000
    path = "/v1/blobs?year=2024&module=professional_travel&file_name=un%20its%20%C3%A9.csv"
    answer = await http.ask("POST", path, content, content_type="text/csv")
    assert (answer.status, answer.json["size_bytes"]) == (200, str(len(content)))
    blob = answer.json["blob"]
    stat = (await http.get(f"/v1/blobs/{blob}")).json
    assert (stat["file_name"], stat["scope"]["year"]) == ("un its é.csv", 2024)
    back = await http.get(f"/v1/blobs/{blob}/content")
    assert back.body == content
    assert back.headers["content-disposition"].endswith("un%20its%20%C3%A9.csv")
    stranger = HttpClient(http.port, token="elsewhere")
    for one in (f"/v1/blobs/{blob}", f"/v1/blobs/{blob}/content"):
        answer = await stranger.get(one)
        assert (answer.status, answer.json["reason"]) == (404, "BLOB_NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("year=x&colour=red", ["scope.colour", "scope.year"]),
        ("expected_sha256=12", ["header.expected_sha256"]),
    ],
)
async def test_wrong_headers_of_an_upload_are_named(
    http: HttpClient, query: str, fields: list[str]
) -> None:
    answer = await http.ask("POST", f"/v1/blobs?{query}", ROWS)
    assert (answer.status, answer.json["reason"]) == (400, "FIELD_INVALID")
    assert [one["field"] for one in answer.json["violations"]] == fields


async def test_nothing_is_kept_of_an_upload_that_breaks_off(
    gateway: RunningGateway, http: HttpClient, tmp_path: Path
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = "POST /v1/blobs HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer local\r\n"
    writer.write(f"{head}content-length: 9000000\r\n\r\n".encode() + ROWS * 100_000)
    await writer.drain()
    incoming = tmp_path / "blobs" / "local" / ".incoming"
    await until(lambda: incoming.is_dir() and any(incoming.iterdir()))
    writer.close()
    await until(lambda: not any(incoming.iterdir()))
    assert (await http.get("/healthz")).status == 200


async def finish_with_rejected_rows(
    http: HttpClient, driver: Client, job: scheduler_pb2.ClaimedJob, content: bytes
) -> None:
    """Finish a job whose stats name a file of these contents."""
    path = "/v1/blobs?year=2024&module=professional_travel&file_name=rejected.csv"
    kept = (await http.ask("POST", path, content, content_type="text/csv")).json["blob"]
    ending = driver.ending(job)
    ending.stats.CopyFrom(struct_of({"rows_rejected": 1, "rejected_blob": kept}))
    await driver.scheduler.Finish(ending)


async def test_the_rejected_rows_of_all_parts_of_a_file_come_under_one_header(
    http: HttpClient, driver: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "JOBS_MAX", 1)
    travel = types_pb2.Scope(module=types_pb2.MODULE_PROFESSIONAL_TRAVEL, year=2024)
    await driver.provision()
    number = (await driver.submit("routed_ingest", travel, {"blob": BLOB})).pipeline_id
    (whole,) = await driver.claim("routed_ingest")
    await driver.scheduler.Chain(
        scheduler_pb2.ChainRequest(
            worker_id=driver.worker_id,
            job_id=whole.job.job_id,
            claim_token=whole.claim_token,
            children=[
                scheduler_pb2.ChildSpec(
                    child_key=str(one),
                    job_type="csv_ingest",
                    data_entry_type=one,
                    payload=struct_of({"blob": BLOB}),
                )
                for one in (types_pb2.DATA_ENTRY_TYPE_PLANE, types_pb2.DATA_ENTRY_TYPE_TRAIN)
            ],
        )
    )
    await finish_with_rejected_rows(http, driver, whole, HEADER + b"0828,x,2,no type\n")
    address = f"/v1/pipelines/{number}/rejected.csv"
    assert (await http.get(address)).body == HEADER + b"0828,x,2,no type\n"
    many = b"0828,y,3,no number\n" * 100_000
    for content in (HEADER + many, b"place,reason\nA,far\n"):
        (job,) = await driver.claim("csv_ingest", wait_seconds=5)
        await finish_with_rejected_rows(http, driver, job, content)
    answer = await http.get(address)
    # Another header keeps its place above its own rows.
    assert answer.body == HEADER + b"0828,x,2,no type\n" + many + b"place,reason\nA,far\n"
    # Zero names none, and does not stand for all.
    answer = await http.get("/v1/pipelines/0/rejected.csv")
    assert (answer.status, answer.json["reason"]) == (404, "NO_REJECTED_ROWS")
