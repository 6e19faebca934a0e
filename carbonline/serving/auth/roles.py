"""Which roles may call an RPC: the option `allowed_roles` of the RPC in its proto."""

from google.protobuf import descriptor_pool

from carbonline.v1 import options_pb2


def _name(role: options_pb2.Role.ValueType) -> str:
    return options_pb2.Role.Name(role).removeprefix("ROLE_").lower()


ROLES_ALL: frozenset[str] = frozenset(map(_name, options_pb2.Role.values()[1:]))


def roles_allowed(method: str) -> frozenset[str]:
    """The roles that may call a method, given as on the wire: "/carbonline.v1.Service/Method".

    Empty where nobody may: for an RPC without the option, and for one that no loaded proto has.
    """
    try:
        found = descriptor_pool.Default().FindMethodByName(method.lstrip("/").replace("/", "."))
    except KeyError:
        return frozenset()
    return frozenset(map(_name, found.GetOptions().Extensions[options_pb2.allowed_roles]))
