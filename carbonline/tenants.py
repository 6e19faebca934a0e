"""What a tenant may be called, wherever one is named: it is part of paths, metrics and keys."""

import re

_TENANT = re.compile(r"[a-z0-9_-]{1,64}")


def is_tenant(name: str) -> bool:
    """Whether a tenant may have this name: 1 to 64 of a to z, 0 to 9, - and _."""
    return _TENANT.fullmatch(name) is not None
