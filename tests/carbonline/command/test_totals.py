"""Totals as a table."""

import pytest

from carbonline.command.totals import show_totals
from carbonline.v1 import ledger_pb2, types_pb2


def test_a_narrow_terminal_takes_room_from_the_units_names_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    kg = "110161851.046499"
    total = ledger_pb2.ModuleTotals(
        unit="0828",
        unit_name="Institute of Long Names",
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        entry_count=328_521,
        total_kg_exact=kg,
    )
    show_totals(ledger_pb2.GetTotalsResponse(module_totals=[total]), 2024)
    assert capsys.readouterr().out.splitlines() == [
        "module: professional_travel",
        "unit name        entries        kg CO2eq",
        "────────────────────────────────────────",
        "0828 Institute   328,521 110,161,851.046",
        "     of Long",
        "     Names",
    ]
