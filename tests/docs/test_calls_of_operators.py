"""Who has no `carbonline` at hand finds each call of an operator on one page, as it is executed."""

import re
from pathlib import Path

import pytest

from carbonline.v1 import operations_pb2
from tests.docs.documented_commands import blocks_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operating.md"
CALL = re.compile(r"buf curl .*\$operations/(\w+)")
METHODS = [m.name for m in operations_pb2.DESCRIPTOR.services_by_name["OperationsService"].methods]


@pytest.mark.parametrize("method", METHODS)
def test_each_call_of_operations_has_its_line_of_buf(method: str) -> None:
    blocks = blocks_of(PAGE.read_text(encoding="utf-8"))
    lines = [one.text for b in blocks if not b.not_executed_because for one in b.commands]
    assert method in {found for line in lines for found in CALL.findall(line)}
