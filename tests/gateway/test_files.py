"""Files go through the gateway chunk by chunk."""

import asyncio
from pathlib import Path

import pytest

from gateway_service.server import RunningGateway
from tests.gateway.http_client import HttpClient
from tests.gateway.test_streams import until

ROWS = b"unit_institutional_id,name\n0828,Physics\n"


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
