"""A seed gives the same faults each time, and each plan has faults of every kind."""

from collections.abc import Sequence

import pytest

from tests.shake.faults import LEDGER_DATABASE, LEDGERS, Kind, plan

NAMES = ("scheduler-1", "scheduler-2", "ledger", "worker-1", "worker-2", "postgres")
WITH_TWO_LEDGERS = (*NAMES, "ledger-2")


@pytest.mark.parametrize("names", [NAMES, WITH_TWO_LEDGERS])
@pytest.mark.parametrize("seconds", [40.0, 300.0])
def test_a_plan_follows_from_its_seed_and_has_every_kind(
    seconds: float, names: Sequence[str]
) -> None:
    for seed in range(1, 30):
        faults = plan(seed, seconds, names)
        assert faults == plan(seed, seconds, names)
        assert faults != plan(seed + 1, seconds, names)
        assert {fault.kind for fault in faults} == set(Kind)
        (away,) = (fault for fault in faults if fault.name == LEDGER_DATABASE)
        ends = away.at_seconds + away.seconds
        for fault in faults:
            over = fault.at_seconds + fault.seconds
            assert fault.name not in LEDGERS or over < away.at_seconds or fault.at_seconds > ends
