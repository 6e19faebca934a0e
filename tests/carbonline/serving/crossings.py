"""Every kind of caller: role x tenant x modules and units, and what an RPC must answer to each.

What it must is read from the RPC's own options, so that an RPC without an answer fails.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import grpc
import grpc.aio
from google.protobuf import descriptor_pool

from carbonline.client.errors import server_error
from carbonline.serving.auth.principals import Principal
from carbonline.v1 import options_pb2, types_pb2

TRAVEL, HEADCOUNT = types_pb2.MODULE_PROFESSIONAL_TRAVEL, types_pb2.MODULE_HEADCOUNT
OWN, OTHER, UNIT = "local", "south", "0828"
Outcome: TypeAlias = Literal["answered", "denied", "hidden"]
Limits: TypeAlias = tuple[frozenset[int] | None, frozenset[str] | None]
LIMITS: dict[str, Limits] = {
    "everything": (None, None),
    "the module": (frozenset({TRAVEL}), None),
    "another module": (frozenset({HEADCOUNT}), None),
    "the unit": (None, frozenset({UNIT})),
    "another unit": (None, frozenset({"0900"})),
    "the unit of the module": (frozenset({TRAVEL, HEADCOUNT}), frozenset({UNIT, "0900"})),
}
ROLES = [value.name.removeprefix("ROLE_").lower() for value in options_pb2.Role.DESCRIPTOR.values][
    1:
]


@dataclass(frozen=True)
class Caller:
    """One crossing. Its name is its token."""

    role: str
    tenant: str
    limits: str

    @property
    def name(self) -> str:
        return f"{self.role} of {self.tenant} for {self.limits}"

    @property
    def principal(self) -> Principal:
        return Principal(self.name, (self.tenant,), frozenset({self.role}), *LIMITS[self.limits])

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.name}"),)


CALLERS = [
    Caller(role, tenant, limits) for role in ROLES for tenant in (OWN, OTHER) for limits in LIMITS
]


class ByName:
    """Who sends `Bearer NAME` is the caller of that name."""

    def __init__(self) -> None:
        self._principals = {one.name: one.principal for one in CALLERS}

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        del peer
        return self._principals.get(authorization.removeprefix("Bearer "))


@dataclass(frozen=True)
class Asked:
    """What is sent to an RPC, all for tenant OWN.

    `scope` is the module and unit that the messages name, or that the pipeline or file has which
    they name. `names_own`: they say the tenant, or name what is the tenant's.
    """

    messages: Sequence[bytes]
    scope: tuple[int | None, str | None] = (None, None)
    names_own: bool = False
    # Of a list that is about one pipeline.
    names_row: bool = False
    is_concealed: bool = False


def expected(method: str, asked: Asked, caller: Caller) -> Outcome:
    """By the options of the method; KeyError if it has none."""
    options = (
        descriptor_pool.Default()
        .FindMethodByName(method.lstrip("/").replace("/", "."))
        .GetOptions()
        .Extensions
    )
    roles = [options_pb2.Role.Name(role) for role in options[options_pb2.allowed_roles]]
    if f"ROLE_{caller.role.upper()}" not in roles:
        return "denied"
    no: Outcome = "hidden" if asked.is_concealed else "denied"
    modules, units = LIMITS[caller.limits]
    module, unit = asked.scope
    beyond = (modules is not None and module not in modules) or (
        units is not None and unit not in units
    )
    is_beyond = {
        options_pb2.SCOPE_CHECK_NONE: False,
        options_pb2.SCOPE_CHECK_ANSWER: asked.names_row and beyond,
        options_pb2.SCOPE_CHECK_WHOLE: caller.limits != "everything",
        options_pb2.SCOPE_CHECK_REQUEST: beyond,
        options_pb2.SCOPE_CHECK_ROW: beyond,
    }[options[options_pb2.scope_check]]
    if options[options_pb2.scope_check] == options_pb2.SCOPE_CHECK_WHOLE and is_beyond:
        return "denied"
    is_foreign = asked.names_own and caller.tenant != OWN
    return no if is_foreign or is_beyond else "answered"


async def outcome_of(
    channel: grpc.aio.Channel, method: str, asked: Asked, caller: Caller
) -> tuple[Outcome, bytes]:
    """What the RPC answers, and the first message. Nothing may be wrong with the request."""
    channel_of_any: Any = channel
    if len(asked.messages) == 1:
        stub = channel_of_any.unary_stream(method)
        call = stub(asked.messages[0], metadata=caller.metadata, timeout=60)
    else:
        stub = channel_of_any.stream_stream(method)
        call = stub(_until_refused(asked.messages), metadata=caller.metadata, timeout=60)
    try:
        async for answer in call:
            call.cancel()
            return "answered", answer
    except grpc.aio.AioRpcError as error:
        told = server_error(error)
        assert told.code not in {"INTERNAL", "UNKNOWN", "UNAUTHENTICATED"}, (method, told)
        assert told.code != "INVALID_ARGUMENT", (method, told)
        if told.code == "PERMISSION_DENIED":
            return "denied", b""
        if told.reason == "BLOB_NOT_FOUND":
            return "hidden", b""
    return "answered", b""


async def _until_refused(messages: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Leaves a moment before the first one: gRPC's own client tells who is refused in the middle of
    a message that it cannot be sent, and not why.
    """
    await asyncio.sleep(0.05)
    for message in messages:
        yield message


def denials_in(logged: io.StringIO) -> list[tuple[str, str]]:
    """Principal and method of each denial in a log."""
    lines = map(json.loads, logged.getvalue().splitlines())
    return sorted(
        (line["principal"], line["method"].rpartition("/")[2])
        for line in lines
        if line["event"] == "call_denied"
    )


def scopes_in(message: Any) -> Iterator[types_pb2.Scope]:
    """Every scope in a message, however deep."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            continue
        for one in value if field.is_repeated else [value]:
            if isinstance(one, types_pb2.Scope):
                yield one
            else:
                yield from scopes_in(one)
