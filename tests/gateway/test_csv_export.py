"""Lists as CSV files: all pages of them, for who may read them, under a name of their own."""

import csv
import io
from pathlib import Path

import pytest

from carbonline.serving.auth.principals import Principal
from carbonline.v1 import types_pb2
from gateway_service.export_routes import EXPORTS, Export
from gateway_service.files import csv_export
from tests.gateway.conftest import both_services, gateway_before
from tests.gateway.http_client import HttpClient
from tests.scheduler_service.rpc.conftest import Client
from tests.worker_service.ledger.ledger_driver import MODULE, LedgerDriver
from worker_service.ledger.pool import open_ledger
from worker_service.ledger.units import save_units

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


class Limited:
    """`Bearer NAME:UNIT,UNIT` may see units alone; without them, all. Its module is travel."""

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The caller, of tenant local."""
        name, _, units = authorization.removeprefix("Bearer ").partition(":")
        if not units:
            return Principal(name, ("local",))
        theirs = frozenset(units.split(","))
        return Principal(name, ("local",), modules=frozenset({1, MODULE}), units=theirs)


async def test_a_caller_with_limits_has_the_rows_of_each_unit_of_theirs(
    database_url: str, tmp_path: Path
) -> None:
    ledger = await open_ledger(database_url, application_name="test", lease_seconds=5, jobs_max=4)
    write = LedgerDriver(ledger)
    names = ["0828", "0829", "0900"]
    await write.publish(2, "units", lambda c: save_units(c, "local", names, names, 2))
    for number, unit in enumerate(names, 10):
        await write.upload(number, [unit], unit=unit)
    await write.upload(20, [*names, "0829"], pipeline_id=7)
    await ledger.close()
    async with (
        both_services(database_url, tmp_path, Limited()) as services,
        gateway_before(services.scheduler_address, services.ledger_address) as gateway,
    ):
        uploads, results = "/v1/years/2024/uploads.csv", "/v1/emissions.csv?pipeline_id=7"
        # Most of their units the institution does not have.
        bob = f"bob:0828,0900,{','.join(f'u{number}' for number in range(500))}"
        assert await units_of(gateway.port, "ann", uploads) == ["", "0828", "0829", "0900"]
        assert await units_of(gateway.port, bob, uploads) == ["0828", "0900"]
        assert await units_of(gateway.port, bob, f"{uploads}?unit=0900") == ["0900"]
        assert await units_of(gateway.port, "ann", results) == ["0828", "0829", "0829", "0900"]
        assert await units_of(gateway.port, bob, results) == ["0828", "0900"]
        for path in ("totals", "uncomputed", "unit_tree"):
            assert await units_of(gateway.port, bob, f"/v1/years/2024/{path}.csv") == []
        answer = await HttpClient(gateway.port, bob).get(f"{uploads}?unit=0829")
        assert (answer.status, answer.json["reason"]) == (403, "PERMISSION_DENIED")
        answer = await HttpClient(gateway.port, bob).get(f"{uploads}?leave_out_others=false")
        assert answer.status == 200


async def units_of(port: int, token: str, path: str) -> list[str]:
    """The column `unit` of a file."""
    answer = await HttpClient(port, token).get(path)
    assert answer.status == 200, answer.body
    return sorted(row["unit"] for row in csv.DictReader(io.StringIO(answer.body.decode())))
