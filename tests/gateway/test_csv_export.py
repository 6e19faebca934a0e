"""Lists as CSV files: all pages of them, for who may read them, under a name of their own."""

import csv
import io

import pytest

from carbonline.v1 import types_pb2
from gateway_service.export_routes import EXPORTS, Export
from gateway_service.files import csv_export
from tests.gateway.http_client import HttpClient
from tests.scheduler_service.rpc.conftest import Client

LOCAL = types_pb2.Scope(tenant="local")


async def test_a_file_has_the_rows_of_all_pages(
    http: HttpClient, driver: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_export, "PAGE_SIZE", 2)
    numbers = [(await driver.submit("noop", LOCAL)).pipeline_id for _ in range(5)]
    answer = await http.get("/v1/pipelines.csv?statuses=not_started")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''pipelines.csv"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [int(row["pipeline_id"]) for row in rows] == numbers[::-1]
    assert {row["status"] for row in rows} == {"not_started"}
    assert (await http.get("/v1/pipelines.csv?statuses=running")).body.count(b"\n") == 1


@pytest.mark.parametrize("export", EXPORTS, ids=lambda one: one.path)
async def test_a_list_is_empty_or_refused_in_a_sentence(http: HttpClient, export: Export) -> None:
    path = export.path.replace("{year}", "2024")
    answer = await http.get(f"{path}?upload_id=7" if "emissions" in path else path)
    assert answer.status in (200, 404), answer.body
    if answer.status == 200:
        assert answer.body.count(b"\n") == 1
    stranger = await HttpClient(http.port, token="elsewhere").get(f"{path}?tenant=local")
    assert (stranger.status, stranger.json["reason"]) == (403, "OTHER_TENANT")


async def test_what_cannot_be_a_file_is_refused_before_any_row(http: HttpClient) -> None:
    answer = await http.get("/v1/years/2024/uploads.csv?page_size=3&page_token=x")
    assert [one["field"] for one in answer.json["violations"]] == ["page_size", "page_token"]
    assert (await http.get("/v1/years/x/totals.csv")).status == 400
    assert (await http.get("/v1/emissions.csv")).status == 400


async def test_a_template_is_the_header_and_a_row(http: HttpClient) -> None:
    answer = await http.get("/v1/templates/plane.csv")
    head, example, _ = answer.body.decode().split("\n")
    assert "origin_iata" in head.split(",")
    assert len(example.split(",")) == len(head.split(","))
    assert answer.headers["content-disposition"].endswith("''plane.csv")
    factors = await http.get("/v1/templates/plane.csv?factors=true")
    assert factors.headers["content-disposition"].endswith("''plane-factors.csv")
    assert factors.body != answer.body
    lost = await http.get("/v1/templates/plain.csv")
    assert (lost.status, lost.json["reason"]) == (404, "TEMPLATE_NOT_FOUND")
    assert "plane" in lost.json["detail"]
    assert (await http.get("/v1/templates/plane.csv?factors=perhaps")).status == 400
    assert (await http.get("/v1/templates/plane.csv?x=1")).status == 400
