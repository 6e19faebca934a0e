"""The tenant that a browser has chosen, for a caller who acts for several."""

from contextvars import ContextVar
from typing import Any

from google.protobuf.message import Message
from starlette.requests import HTTPConnection

from carbonline.tenants import is_tenant
from gateway_service.access.caller import bearer_of, cookie_of

# Nobody gains a right by it: the services compare it with the caller's own tenants.
CHOICE = "carbonline-tenant"
# Set for each request; the tasks that a request starts have it, too.
_CHOSEN: ContextVar[str] = ContextVar("chosen_tenant", default="")


def note_choice(request: HTTPConnection) -> None:
    """Keeps what the browser has chosen while its request is served. A program
    names the tenant in each request.
    """
    chosen = request.cookies.get(CHOICE, "")
    is_browser = cookie_of(request) and not bearer_of(request)
    _CHOSEN.set(chosen if is_browser and is_tenant(chosen) else "")


def chosen_tenant() -> str:
    """The tenant that the request being served is about; "" if none is chosen."""
    return _CHOSEN.get()


def name_tenant(message: Any) -> None:
    """Names the chosen tenant in what is sent to a service, where nothing names one."""
    chosen = chosen_tenant()
    if not chosen:
        return
    fields = message.DESCRIPTOR.fields_by_name
    if "tenant" in fields and not message.tenant and not getattr(message, "all_tenants", False):
        message.tenant = chosen
    if "scope" in fields and isinstance(message.scope, Message):
        name_tenant(message.scope)
