"""Stale totals name the commands that bring them up to date."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from carbonline.command.connection import Target
from carbonline.command.ways_out import of_unit, ways_out
from carbonline.v1 import ledger_pb2, types_pb2

TRAVEL = types_pb2.MODULE_PROFESSIONAL_TRAVEL
PLANE, TRAIN = types_pb2.DATA_ENTRY_TYPE_PLANE, types_pb2.DATA_ENTRY_TYPE_TRAIN
WHOLE_MODULE = "--module professional_travel --only-stale"


@pytest.mark.parametrize(
    ("types", "named"),
    [((PLANE,), "--type plane"), ((PLANE, TRAIN), WHOLE_MODULE), ((), WHOLE_MODULE)],
    ids=["one type", "several types", "only the sums"],
)
def test_a_stale_module_names_one_command(types: Sequence[int], named: str) -> None:
    target = Target(Path("data"), "", "", None, "")
    stale = ledger_pb2.TotalsFreshness(module=TRAVEL, fresh=False)
    stale.stale_types.extend(map(types_pb2.DataEntryType.ValueType, types))
    fresh = ledger_pb2.TotalsFreshness(module=types_pb2.MODULE_PURCHASE, fresh=True)
    _, named_last = ways_out([stale, fresh], 2024, target, without_kg=False)
    said, _, command = named_last.partition("carbonline ")
    assert said.startswith("If nothing is running: ")
    assert command.partition(" --data-folder")[0] == f"recalculate --year 2024 {named}"


@pytest.mark.parametrize("unit", ["0828", "a b", "it's", "0828\u200b", "\\ \u00ad'\U000e0020"])
def test_a_shell_reads_the_unit_of_a_command_as_it_is(unit: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    words = of_unit("totals", unit)
    said = subprocess.run(
        [bash, "-c", f"printf '%s' {words.removeprefix('totals --unit ')}"],
        check=True,
        capture_output=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    assert said.stdout.decode() == unit
    assert words.isascii()
