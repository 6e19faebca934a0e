"""Lists for callers with limits: of each module and unit of theirs, and of nobody else's."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from carbonline.serving.auth.principals import Principal
from carbonline.serving.logs import open_log
from carbonline.v1 import emissions_pb2, ledger_pb2, ledger_pb2_grpc, options_pb2
from tests.worker_service.ledger.ledger_driver import MODULE, TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger.test_uncomputed import compute_none
from tests.worker_service.ledger_api.conftest import as_caller, refused, settings_of
from worker_service.ledger.units import save_units
from worker_service.ledger_api.server import running_ledger

NAMES = ["0828", "0829", "0900"]
OTHER = MODULE + 1
LEDGER = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]
BY_REQUEST = [
    method
    for method in LEDGER.methods
    if method.GetOptions().Extensions[options_pb2.scope_check] == options_pb2.SCOPE_CHECK_REQUEST
]


class Limited:
    """`Bearer MODULE,MODULE:UNIT,UNIT`, of which each part may be empty for all."""

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The caller, of the tenant."""
        del peer
        module, _, units = authorization.removeprefix("Bearer ").partition(":")
        return Principal(
            *("ann", (TENANT,)),
            modules=frozenset(map(int, module.split(","))) if module else None,
            units=frozenset(units.split(",")) if units else None,
        )


@pytest.fixture
async def ask(driver: LedgerDriver, database_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    """The stub of a ledger with files of 0828, of 0829, and of all units by pipeline 7; no row has
    kilograms.
    """
    await driver.publish(2, "units", lambda c: save_units(c, TENANT, NAMES, NAMES, 2))
    await driver.upload(10, ["0828"], unit="0828")
    await driver.upload(11, ["0829"], unit="0829")
    await driver.upload(20, [*NAMES, "0829"], pipeline_id=7)
    await compute_none(driver, 30)
    settings = settings_of(database_url, tmp_path)
    async with (
        running_ledger(settings, open_log("error"), Limited()),
        grpc.aio.insecure_channel(settings.ledger_address) as channel,
    ):
        yield ledger_pb2_grpc.LedgerServiceStub(channel)


async def units(ask: Any, caller: str, rpc: str, **wanted: Any) -> Sequence[str]:
    """The units of all rows of a list, page after page of two."""
    requests = {
        "ListUploads": (ledger_pb2.ListUploadsRequest, {"year": YEAR}, "uploads"),
        "ListUncomputed": (ledger_pb2.ListUncomputedRequest, {"year": YEAR}, "entries"),
        "ListEmissions": (emissions_pb2.ListEmissionsRequest, {"pipeline_id": 7}, "rows"),
    }
    request, known, rows = requests[rpc]
    found: list[str] = []
    token = ""
    while True:
        asked = request(
            **{**known, "page_size": 2, "page_token": token, "leave_out_others": True, **wanted}
        )
        page = await getattr(ask, rpc)(asked, metadata=as_caller(caller))
        found += [one.unit for one in getattr(page, rows)]
        if not (token := page.next_page_token):
            return sorted(found)


async def test_a_list_without_others_has_what_is_of_each_of_theirs(ask: Any) -> None:
    all_rows = ["0828", "0829", "0829", "0900"]
    expected = {
        "ListUploads": (["", "0828", "0829"], ["0828"]),
        "ListUncomputed": (sorted(["0828", "0829", *all_rows]), ["0828", "0828", "0900"]),
        "ListEmissions": (all_rows, ["0828", "0900"]),
    }
    for rpc, (everything, own) in expected.items():
        assert await units(ask, ":", rpc) == everything
        assert await units(ask, ":0828,0900,gone", rpc) == own
        assert await units(ask, f"{MODULE}:0828,0900", rpc) == own
        assert await units(ask, f"{MODULE}:", rpc) == everything
        assert await units(ask, f"{OTHER}:", rpc) == []
        assert await units(ask, ":0828,0829", rpc, unit="0828") == ["0828"] * own.count("0828")


async def test_a_file_of_others_is_not_there_for_who_leaves_them_out(ask: Any) -> None:
    assert await units(ask, ":0828", "ListUploads", upload_id=11) == []
    assert await units(ask, ":0829", "ListUploads", upload_id=11) == ["0829"]


@pytest.mark.parametrize("method", BY_REQUEST, ids=lambda one: one.name)
async def test_each_read_that_is_refused_because_of_others_can_leave_them_out(
    ask: Any, method: Any
) -> None:
    request: Any = {
        of.DESCRIPTOR.full_name: of
        for of in (
            *(ledger_pb2.GetTotalsRequest, ledger_pb2.GetReportRequest),
            *(ledger_pb2.ListUncomputedRequest, ledger_pb2.ListUploadsRequest),
            emissions_pb2.ListEmissionsRequest,
        )
    }[method.input_type.full_name]
    known = {"pipeline_id": 7} if method.name == "ListEmissions" else {"year": YEAR}

    def call(caller: str, **wanted: Any) -> Any:
        return getattr(ask, method.name)(request(**known, **wanted), metadata=as_caller(caller))

    caller = f"{MODULE}:0828"
    assert (await refused(call(caller))).reason == "PERMISSION_DENIED"
    await call(caller, leave_out_others=True)
    for named in ({"unit": "0829"}, {"module": OTHER}):
        error = await refused(call(caller, leave_out_others=True, **named))
        assert error.reason == "PERMISSION_DENIED"
