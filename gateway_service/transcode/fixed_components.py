"""The parts of the OpenAPI document that are the same whatever the routes are: tokens, problems."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from gateway_service.transcode.problems import MEDIA_TYPE
from gateway_service.transcode.reasons import Reason

Document: TypeAlias = dict[str, Any]


def security() -> Document:
    """How a caller says who it is."""
    return {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "carbonline",
            "description": "Of POST /v1/session. Behind a proxy its name is `__Host-carbonline`.",
        },
    }


def problem_responses() -> Document:
    """The two forms of a refusal."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    retry = {"schema": {"type": "integer"}, "required": True, "description": "In seconds."}
    return {
        "Problem": {"description": "What was refused, and why.", "content": content},
        "LaterProblem": {
            "description": "What was refused for now, and when to try again.",
            "headers": {"Retry-After": retry},
            "content": content,
        },
    }


def problem_schemas(reasons: Iterable[Reason]) -> Document:
    """A problem, and what it holds; each reason is explained once, as the contract does."""
    whys: dict[str, str] = {}
    for one in reasons:
        whys.setdefault(one.name, f"* `{one.name}` ({one.status}): {one.why}")
    words = "\n".join(["Why, as a word that programs can go by.", *(whys[n] for n in sorted(whys))])
    text = {"type": "string"}
    violation = {
        "type": "object",
        "required": ["field", "description"],
        "properties": {"field": text, "description": text},
    }
    members = {
        "type": text,
        "title": text,
        "status": {"type": "integer"},
        "reason": {**text, "description": words},
        "detail": {**text, "description": "Why, as a sentence for people."},
        "violations": {
            "type": "array",
            "description": "Every field that is wrong, and what it must be.",
            "items": {"$ref": "#/components/schemas/Violation"},
        },
        "metadata": {"type": "object", "additionalProperties": text},
    }
    problem = {"type": "object", "required": list(members), "properties": members}
    return {"Problem": problem, "Violation": violation}
