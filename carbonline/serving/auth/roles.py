"""Which roles may call an RPC, and how it keeps them within their modules and units: its options
`allowed_roles` and `scope_check` in the proto.
"""

from typing import Any

from google.protobuf import descriptor_pool

from carbonline.v1 import options_pb2


def _name(role: options_pb2.Role.ValueType) -> str:
    return options_pb2.Role.Name(role).removeprefix("ROLE_").lower()


ROLES_ALL: frozenset[str] = frozenset(map(_name, options_pb2.Role.values()[1:]))


def roles_allowed(method: str) -> frozenset[str]:
    """The roles that may call a method, given as on the wire: "/carbonline.v1.Service/Method".

    Empty where nobody may: for an RPC without the option, and for one that no loaded proto has.
    """
    options = options_of(method)
    if options is None:
        return frozenset()
    return frozenset(map(_name, options.Extensions[options_pb2.allowed_roles]))


def allows_limited_callers(method: str) -> bool:
    """Whether a method can be called by principals with limited modules or units."""
    options = options_of(method)
    return options is not None and options.Extensions[options_pb2.scope_check] not in {
        options_pb2.SCOPE_CHECK_UNSPECIFIED,
        options_pb2.SCOPE_CHECK_WHOLE,
    }


def options_of(method: str) -> Any:
    """The options of a method, given as on the wire; None for one that no loaded proto has."""
    try:
        found = descriptor_pool.Default().FindMethodByName(method.lstrip("/").replace("/", "."))
    except KeyError:
        return None
    return found.GetOptions()
