"""What an installation without extras lacks, and the sentence that says how to get it."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Literal, TypeAlias

Extra: TypeAlias = Literal["frames", "server", "local"]

_SERVER = (
    "alembic",
    "asyncpg",
    "grpc_channelz",
    "grpc_reflection",
    "polars",
    "prometheus_client",
    "sqlalchemy",
    "structlog",
)
# A module of each package that the extra brings. Not the embedded PostgreSQL: any other does.
MODULES: Mapping[Extra, tuple[str, ...]] = MappingProxyType(
    {"frames": ("polars",), "server": _SERVER, "local": _SERVER}
)


def lacks(extra: Extra, purpose: str) -> str:
    """A sentence when packages of the extra are not installed; else empty.

    `purpose` begins it, such as "A frame of totals".
    """
    missing = [name for name in MODULES[extra] if find_spec(name) is None]
    if not missing:
        return ""
    # uv says where it is to what it runs; uvx is not helped by pip.
    by_uvx = f", or with uvx: --from 'FILE.whl[{extra}]'" if "UV" in os.environ else ""
    return (
        f"{purpose} needs packages that are not installed ({', '.join(missing)}): "
        f"pip install 'carbonline[{extra}]'{by_uvx}"
    )
