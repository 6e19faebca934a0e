"""A seed gives the same faults each time, and each plan has faults of every kind."""

import pytest

from tests.shake.faults import LEDGER_DATABASE, Kind, plan

NAMES = ("scheduler-1", "scheduler-2", "ledger", "worker-1", "worker-2", "postgres")


@pytest.mark.parametrize("seconds", [40.0, 300.0])
def test_a_plan_follows_from_its_seed_and_has_every_kind(seconds: float) -> None:
    for seed in range(1, 30):
        faults = plan(seed, seconds, NAMES)
        assert faults == plan(seed, seconds, NAMES)
        assert faults != plan(seed + 1, seconds, NAMES)
        assert {fault.kind for fault in faults} == set(Kind)
        (away,) = (fault for fault in faults if fault.name == LEDGER_DATABASE)
        ends = away.at_seconds + away.seconds
        for fault in faults:
            over = fault.at_seconds + fault.seconds
            assert fault.name != "ledger" or over < away.at_seconds or fault.at_seconds > ends
