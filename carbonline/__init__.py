"""The client of the carbonline services, and the whole of them on one machine.

`from carbonline import Client`; docs/python.md shows what to do with it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carbonline.client.annual_report import AnnualReport
    from carbonline.client.async_client import AsyncClient
    from carbonline.client.check_report import CheckReport
    from carbonline.client.errors import (
        ClientError,
        ExtraMissing,
        FileDamaged,
        FileGone,
        NoStack,
        PipelineNotSuccessful,
        ServerError,
        TotalsIncomplete,
        Unreachable,
        WrongArgument,
    )
    from carbonline.client.load_check_report import LoadCheckReport
    from carbonline.client.reports import JobReport, PipelineReport, UploadReport
    from carbonline.client.sync_client import Client

__all__ = [
    "AnnualReport",
    "AsyncClient",
    "CheckReport",
    "Client",
    "ClientError",
    "ExtraMissing",
    "FileDamaged",
    "FileGone",
    "JobReport",
    "LoadCheckReport",
    "NoStack",
    "PipelineNotSuccessful",
    "PipelineReport",
    "ServerError",
    "TotalsIncomplete",
    "Unreachable",
    "UploadReport",
    "WrongArgument",
]
_ROOMS = {
    "AnnualReport": "annual_report",
    "AsyncClient": "async_client",
    "CheckReport": "check_report",
    "Client": "sync_client",
    "JobReport": "reports",
    "LoadCheckReport": "load_check_report",
    "PipelineReport": "reports",
    "UploadReport": "reports",
}


def __getattr__(name: str) -> object:
    """A public name, loaded when it is asked for: servers import this package, too, and not gRPC's
    client before they have said how gRPC is to log.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = import_module(f"{__name__}.client.{_ROOMS.get(name, 'errors')}")
    found: object = getattr(room, name)
    return found
