"""What the fuzzer checks beside its own checks: a problem has a reason that is told, and what the
document refuses the gateway refuses.
"""

import re
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import negative_data_rejection

PROBLEM = "application/problem+json"
NUMBER = re.compile(r"\d+(\.\d+)?")


@schemathesis.check
def reason_is_told(
    _context: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: "schemathesis.Case[Any]",
) -> None:
    """The description of the status names the reason of the answer."""
    if PROBLEM not in response.headers.get("content-type", [""]):
        return
    told = case.operation.definition.raw["responses"].get(str(response.status_code))
    if told is None:
        # Another check says so.
        return
    reason = response.json()["reason"]
    assert reason in told["description"], f"{reason} is not told for {response.status_code}"


@schemathesis.check
def wrong_data_is_refused(
    context: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: "schemathesis.Case[Any]",
) -> None:
    """The fuzzer's own check, but for what means that a field is left out."""
    if case.operation.definition.raw["operationId"] == "BatchSubmit":
        # Its rows have errors of their own.
        return
    if not _leaves_out(case.query) and not _leaves_out(case.body) and not _is_short(case):
        negative_data_rejection(context, response, case)


def _leaves_out(given: Any) -> bool:
    """Whether something is empty or null."""
    return isinstance(given, dict) and any(not one for one in given.values())


def _is_short(case: "schemathesis.Case[Any]") -> bool:
    """Whether the query has the number of an enum's value, or seconds without their unit."""
    told = case.operation.definition.raw["parameters"]
    schemas = {one["name"]: one["schema"] for one in told if one["in"] == "query"}
    return any(
        NUMBER.fullmatch(str(value))
        and {"enum", "pattern"} & {*schemas.get(name, ()), *schemas.get(name, {}).get("items", ())}
        for name, value in (case.query or {}).items()
    )
