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

_NAME = "carbonline"
_SERVER = (
    "aiohttp",
    "alembic",
    "asyncpg",
    "cronsim",
    "cryptography",
    "grpc_channelz",
    "grpc_reflection",
    "jwt",
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
    command = (
        _uvx(f"[{extra}]", *sys.argv[1:])
        if _by_uvx()
        else f"pip install {shlex.quote(f'{_source()}[{extra}]')}"
    )
    return f"{purpose} needs packages that are not installed ({', '.join(missing)}): {command}"


def uvx_program() -> str | None:
    """The program as whoever came by uvx types it again; None for others.

    uvx puts it on the PATH of this process only. The extra that is there is named.
    """
    if not _by_uvx() or _source() == _NAME:
        return None
    extras: tuple[Extra, ...] = ("local", "server", "frames")
    there = (extra for extra in extras if all(map(find_spec, MODULES[extra])))
    extra = next(there, None)
    return _uvx(f"[{extra}]" if extra else "")


def _by_uvx() -> bool:
    # uv says where it is to what it runs.
    return "UV" in os.environ and Path(sys.argv[0]).name == _NAME


def _uvx(extra: str, *words: str) -> str:
    return shlex.join(["uvx", "--from", f"{_source()}{extra}", _NAME, *words])


def _source() -> str:
    """What carbonline was installed from, for an installer: the path of a wheel or of a folder, or
    its name.
    """
    try:
        text = distribution(_NAME).read_text("direct_url.json")
        origin = json.loads(text) if text else {}
        url = urlsplit(origin.get("url", ""))
    except (PackageNotFoundError, ValueError):
        return _NAME
    is_editable = origin.get("dir_info", {}).get("editable", False)
    return unquote(url.path) if url.scheme == "file" and not is_editable else _NAME
