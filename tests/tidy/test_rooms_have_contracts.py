"""Rooms that are planned get their import contract on the day they appear."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    "worker_service/carbon": "Carbon imports nothing of ours",
    "carbonline/client": "The client imports neither serving nor a service",
    "gateway_service": "A gateway speaks to services over the wire only",
    "worker_service/providers": "Providers bring rows and know neither ledger nor scheduler",
}


@pytest.mark.parametrize("room", CONTRACTS)
def test_a_room_has_its_contract_and_a_contract_its_room(room: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert (CONTRACTS[room] in names) == (ROOT / room / "__init__.py").is_file()
