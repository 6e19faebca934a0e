"""What the fuzzer checks beside its own checks: the reason of a problem is one that is told."""

from typing import Any

import schemathesis

PROBLEM = "application/problem+json"


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
