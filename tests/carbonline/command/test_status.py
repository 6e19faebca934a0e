"""A year's totals are up to date when the scheduler and the ledger both say so."""

import pytest

from carbonline.command.status import modules_of_year
from carbonline.v1 import ledger_pb2, operations_pb2, types_pb2

TRAVEL = types_pb2.MODULE_PROFESSIONAL_TRAVEL
PLANE = types_pb2.DATA_ENTRY_TYPE_PLANE
OLDER = "plane was computed by another formula (plane-1; now plane-2)"


def scheduler_answer(*, fresh: bool) -> operations_pb2.GetYearResponse:
    module = operations_pb2.ModuleFreshness(module=TRAVEL, fresh=fresh)
    if not fresh:
        module.stale_types.append(PLANE)
    return operations_pb2.GetYearResponse(year=2024, provisioned=True, modules=[module])


def ledger_answer(reason: str) -> ledger_pb2.TotalsFreshness:
    found = ledger_pb2.TotalsFreshness(module=TRAVEL, fresh=not reason, reason=reason)
    if reason:
        found.stale_types.append(PLANE)
    return found


@pytest.mark.parametrize(
    ("pending_none", "reason", "fresh"),
    [(True, "", True), (True, OLDER, False), (False, "", False), (False, OLDER, False)],
)
def test_both_must_find_nothing(*, pending_none: bool, reason: str, fresh: bool) -> None:
    modules = modules_of_year(scheduler_answer(fresh=pending_none), [ledger_answer(reason)])
    assert modules == {
        "professional_travel": {
            "fresh": fresh,
            "reason": reason or ("" if fresh else "a change of plane is still being processed"),
            "stale_types": [] if fresh else ["plane"],
        }
    }


def test_modules_that_only_one_of_them_knows_are_told() -> None:
    alone = modules_of_year(operations_pb2.GetYearResponse(year=2024), [ledger_answer(OLDER)])
    assert not alone["professional_travel"]["fresh"]
    pending = modules_of_year(scheduler_answer(fresh=False), [])
    assert not pending["professional_travel"]["fresh"]
