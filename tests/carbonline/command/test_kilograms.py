"""A pipeline's end names the totals that the pipeline has changed, and no others."""

# ruff: noqa: N802  the names are the contract's

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import grpc.aio
import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.view import PipelineView
from carbonline.client.watch import Snapshot
from carbonline.command.kilograms import Kilograms, print_kilograms
from carbonline.v1 import ledger_pb2, types_pb2
from carbonline.v1.ledger_pb2_grpc import LedgerServiceServicer, add_LedgerServiceServicer_to_server


class Totals(LedgerServiceServicer):
    """A ledger that knows the totals of some years."""

    def __init__(self) -> None:
        self.kg: dict[int, str] = {}

    async def GetTotals(
        self, request: ledger_pb2.GetTotalsRequest, _context: object
    ) -> ledger_pb2.GetTotalsResponse:
        answer = ledger_pb2.GetTotalsResponse()
        if request.year in self.kg:
            answer.institution.total_kg_exact = self.kg[request.year]
        return answer


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[tuple[ContractClient, Totals]]:
    totals = Totals()  # type: ignore[abstract]  # the rest is UNIMPLEMENTED
    server = grpc.aio.server()
    add_LedgerServiceServicer_to_server(totals, server)
    address = f"unix:{tmp_path}/l"
    server.add_insecure_port(address)
    await server.start()
    async with ContractClient(address, address) as client:
        yield client, totals
    await server.stop(0)


def recomputed(*years: int) -> PipelineView:
    jobs = [types_pb2.Job(job_id=n, scope=types_pb2.Scope(year=y)) for n, y in enumerate(years)]
    view = PipelineView()
    view.apply(Snapshot(types_pb2.Pipeline(), jobs))
    return view


BEFORE = Kilograms(0, {year: Decimal(10) for year in (2021, 2022, 2023)})


async def test_a_year_that_somebody_else_has_changed_meanwhile_is_not_named(
    ledger: tuple[ContractClient, Totals], capsys: pytest.CaptureFixture[str]
) -> None:
    client, totals = ledger
    totals.kg = {2021: "12", 2022: "13", 2023: "10"}
    await print_kilograms(client, BEFORE, recomputed(0, 2021, 2023))
    assert capsys.readouterr().out == "2021: 10.000 kg before, 12.000 kg now (+2.000).\n"


async def test_years_are_unchanged_only_if_they_are(
    ledger: tuple[ContractClient, Totals], capsys: pytest.CaptureFixture[str]
) -> None:
    client, totals = ledger
    totals.kg = {2021: "12", 2022: "13", 2023: "10"}
    await print_kilograms(client, BEFORE, recomputed(0))
    assert capsys.readouterr().out == "The totals of 1 year are unchanged.\n"
