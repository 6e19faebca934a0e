"""The audit trail: a line of the log for each call of a person or a gateway that changes something.

Which RPCs these are follows from the roles in their protos: an RPC that neither monitors nor
auditors may call changes something. Those that workers call are left out, since the timeline has
each claim and each end with its worker.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import grpc.aio
from structlog.typing import FilteringBoundLogger

from carbonline.serving.auth.principals import Principal
from carbonline.serving.auth.roles import roles_allowed
from carbonline.serving.errors import RpcError

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
NOT_AUDITED = frozenset({"monitor", "auditor", "worker"})
# What says which thing was changed, in requests, in their scopes, and in answers.
NAMED = (
    "tenant",
    "job_type",
    "year",
    "unit",
    "pipeline_id",
    "job_id",
    "upload_id",
    "worker_id",
    "blob",
    "data_entry_type",
    "name",
    "reason",
)
REQUEST_ID = "x-request-id"
NOOP = "noop"
CHARACTERS_MAX = 200


def is_audited(method: str) -> bool:
    """Whether calls of a method, such as "/carbonline.v1.Service/Method", stand on the trail."""
    roles = roles_allowed(method)
    return bool(roles) and roles.isdisjoint(NOT_AUDITED)


class Audit:
    """Writes the trail of one server. `caller` is the principal of the call that runs."""

    def __init__(self, log: FilteringBoundLogger, caller: Callable[[], Principal]) -> None:
        self._log = log
        self._caller = caller

    def around(self, method: str, behave: Any) -> Any:
        """The behaviour of a method, with a line for each of its calls if it is audited."""
        if not is_audited(method):
            return behave

        async def call(request: Any, context: Context) -> Any:
            began, result, answer = time.monotonic(), "not answered", None
            try:
                answer = await behave(request, context)
            except RpcError as error:
                result = error.reason
                raise
            except Exception:
                # A line of its own says what, and whether the database was unavailable.
                result = "failed"
                raise
            else:
                result = "ok"
                return answer
            finally:
                if not getattr(request, "validate_only", False):
                    self._write(method, request, answer, context, result, began)

        return call

    def _write(
        self,
        method: str,
        request: Any,
        answer: Any,
        context: Context,
        result: str,
        began: float,
    ) -> None:
        principal = self._caller()
        # As `submitted` is logged: benchmarks submit noops by the thousand, which change nothing.
        write = self._log.debug if _is_noop(request) else self._log.info
        write(
            "call_audited",
            method=method,
            principal=principal.name,
            peer=context.peer(),
            request_id=_request_id(request, context),
            result=result,
            seconds=round(time.monotonic() - began, 3),
            **{**_named(request), **_named(answer)},
        )


def _is_noop(request: Any) -> bool:
    each = getattr(request, "requests", (request,))
    return all(getattr(one, "job_type", "") == NOOP for one in each)


def _request_id(request: Any, context: Context) -> str:
    """That of the request, or of the caller's metadata."""
    if given := getattr(request, "request_id", ""):
        return str(given)[:CHARACTERS_MAX]
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID:
            return str(value)[:CHARACTERS_MAX]
    return ""


def _named(message: Any) -> Mapping[str, Any]:
    """What a message names; of a batch, how many items it has. Uploads are streams, and name
    themselves in their answer.
    """
    if not hasattr(message, "ListFields"):
        return {}
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.name in {"scope", "job", "pipeline"} and field.message_type is not None:
            found = {**_named(value), **found}
        elif field.name in {"items", "requests"}:
            found["items"] = len(value)
        elif field.name in NAMED and field.message_type is None:
            found[field.name] = value[:CHARACTERS_MAX] if isinstance(value, str) else value
    return found
