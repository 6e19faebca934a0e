"""Reads which rows a check found at fault, from the stats of its job or from its files."""

from collections.abc import Iterator, Mapping
from typing import Any

from carbonline.client.contract_client import ContractClient
from carbonline.client.json_struct import values_of
from carbonline.client.noted_rows import noted_rows
from carbonline.v1 import types_pb2

# By what the stats call them.
_FINDINGS: Mapping[str, str] = {
    "rejected": "rejected",
    "uncomputed": "",
    "warned": "doubtful",
    "doubtful": "doubtful",
    "counted_twice": "counted_twice",
}


async def check_findings(client: ContractClient, job: types_pb2.Job) -> list[dict[str, Any]]:
    """A dict per finding, in order of row: finding, row, column, value, reason."""
    stats = values_of(job.stats)
    found: list[dict[str, Any]] = []
    for noun, finding in _FINDINGS.items():
        listed = stats.get(f"{noun}_rows", [])
        if len({one["row"] for one in listed}) < stats.get(f"rows_{noun}", 0):
            blob = stats[f"{noun}_blob"]
            chunks = [chunk async for chunk in client.download_blob(blob)]
            listed = list(_listed(b"".join(chunks).decode()))
        found += [_finding(one, finding) for one in listed]
    return sorted(found, key=lambda one: one["row"])


def _listed(text: str) -> Iterator[Mapping[str, Any]]:
    for one in noted_rows(text):
        # A rejected row stands as it was in its file, with all its reasons behind.
        if "rejected_row" in one:
            yield {"row": one["rejected_row"], "reason": one["rejected_reason"]}
        else:
            yield one


def _finding(one: Mapping[str, Any], finding: str) -> dict[str, Any]:
    # Of a row without kilograms the value is its outcome.
    value = "" if not finding else one.get("value", "")
    return {
        "finding": finding or one["value"],
        "row": int(one["row"]),
        "column": one.get("column", ""),
        "value": "" if value is None else str(value),
        "reason": one["reason"],
    }
