"""What an installation without extras lacks, and the sentence that says how to get it."""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit

Extra: TypeAlias = Literal["frames", "gateway", "objects", "server", "local"]

_SERVER = (
    "aiohttp",
    "alembic",
    "asyncpg",
    "cronsim",
    "cryptography",
    "grpc_channelz",
    "grpc_reflection",
    "jwt",
    "pint",
    "polars",
    "prometheus_client",
    "python_calamine",
    "sqlalchemy",
    "structlog",
    "tzdata",
)
_GATEWAY = ("httptools", "prometheus_client", "starlette", "structlog", "uvicorn")
# A module of each package that the extra brings. Not the embedded PostgreSQL: any other does.
MODULES: Mapping[Extra, tuple[str, ...]] = MappingProxyType(
    {
        "frames": ("polars",),
        "gateway": _GATEWAY,
        "objects": ("obstore",),
        "server": _SERVER,
        "local": tuple(sorted({*_SERVER, *_GATEWAY})),
    }
)


def lacks(extra: Extra, purpose: str) -> str:
    """A sentence when packages of the extra are not installed; else empty.

    `purpose` begins it, such as "A frame of totals".
    """
    missing = [name for name in MODULES[extra] if find_spec(name) is None]
    if not missing:
        return ""
    wanted = shlex.quote(f"{_source()}[{extra}]")
    # uv says where it is to what it runs; uvx is not helped by pip.
    again = shlex.join(["carbonline", *sys.argv[1:]])
    by_uvx = "UV" in os.environ and Path(sys.argv[0]).name == "carbonline"
    command = f"uvx --from {wanted} {again}" if by_uvx else f"pip install {wanted}"
    return f"{purpose} needs packages that are not installed ({', '.join(missing)}): {command}"


def _source() -> str:
    """What carbonline was installed from, for an installer: a wheel's path, or its name."""
    try:
        origin = distribution("carbonline").read_text("direct_url.json")
        url = urlsplit(json.loads(origin)["url"]) if origin else None
    except (PackageNotFoundError, ValueError, KeyError):
        url = None
    is_wheel = url is not None and url.scheme == "file" and url.path.endswith(".whl")
    return unquote(url.path) if url is not None and is_wheel else "carbonline"
