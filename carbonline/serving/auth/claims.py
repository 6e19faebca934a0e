"""Claims: what is said of a caller, by a token or by the file of client certificates."""

from collections.abc import Mapping
from typing import Any

from carbonline.serving.auth.module_names import module_number
from carbonline.serving.auth.principals import Principal
from carbonline.serving.auth.roles import ROLES_ALL
from carbonline.tenants import is_tenant

NAME_CHARACTERS_MAX = 128
TENANTS_MAX = 1_000
EVERYTHING = "*"


class ClaimWrong(ValueError):
    """A claim is missing or wrong. The message says what it must be."""


def principal_of(claims: Mapping[str, Any], expires_at: float) -> Principal:
    """The principal of claims whose source is checked; `expires_at` in seconds since 1970.

    `sub` is the name; `tenants` a list; `role` one of ROLES_ALL, or a list of them; `modules` and
    `units` are "*" or a list. Raises ClaimWrong.
    """
    name = claims.get("sub")
    if not (isinstance(name, str) and 0 < len(name) <= NAME_CHARACTERS_MAX and name.isprintable()):
        raise ClaimWrong(f"its sub must be 1 to {NAME_CHARACTERS_MAX} printable characters")
    tenants = claims.get("tenants")
    if not (
        isinstance(tenants, list)
        and 0 < len(tenants) <= TENANTS_MAX
        and all(isinstance(one, str) and is_tenant(one) for one in tenants)
    ):
        raise ClaimWrong(f"its claim tenants must be a list of 1 to {TENANTS_MAX:,} tenants")
    role = claims.get("role")
    roles = [role] if isinstance(role, str) else role
    if not (isinstance(roles, list) and roles and all(map(_is_role, roles))):
        raise ClaimWrong(f"its claim role must be one of {', '.join(sorted(ROLES_ALL))}")
    return Principal(
        name,
        tuple(dict.fromkeys(tenants)),
        frozenset(roles),
        _modules(claims.get("modules")),
        _units(claims.get("units")),
        expires_at=expires_at,
    )


def _modules(claim: Any) -> frozenset[int] | None:
    if claim == EVERYTHING:
        return None
    if not (isinstance(claim, list) and claim and all(isinstance(one, str) for one in claim)):
        raise ClaimWrong('its claim modules must be "*" or a list of names')
    numbers = {name: module_number(name) for name in claim}
    unknown = [name for name, number in numbers.items() if number is None]
    if unknown:
        raise ClaimWrong(f"there is no module {unknown[0][:NAME_CHARACTERS_MAX]!r}")
    return frozenset(number for number in numbers.values() if number is not None)


def _units(claim: Any) -> frozenset[str] | None:
    if claim == EVERYTHING:
        return None
    if not (isinstance(claim, list) and claim and all(isinstance(one, str) for one in claim)):
        raise ClaimWrong('its claim units must be "*" or a list of units')
    # An empty unit would stand for all of them.
    return frozenset(one for one in claim if one)


def _is_role(one: Any) -> bool:
    return isinstance(one, str) and one in ROLES_ALL
