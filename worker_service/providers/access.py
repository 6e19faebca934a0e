"""How to reach the services that bring rows: addresses and credentials."""

from dataclasses import dataclass

from worker_service.providers.secret import Secret

FIRST_PAUSE_SECONDS = 0.5
# About as many records are asked for at once.
PAGE_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class TravelApiAccess:
    """Where the service is and who asks: a connected app that acts for a user of a site."""

    url: str
    site: str
    datasource: str
    user: str
    client_id: str
    secret_id: str
    secret: Secret
    rest_version: str = "3.24"
    timeout_seconds: float = 120.0
    first_pause_seconds: float = FIRST_PAUSE_SECONDS
    page_records: int = PAGE_RECORDS


@dataclass(frozen=True, slots=True)
class UnitDirectoryAccess:
    """Where the directory is, who asks, and how it names pages and fields.

    `list` is the key of the list in an answer; "" if the answer is the list. `parent` is the key of
    the id of the unit above; "" if the directory tells no tree. `total` is the key of how many
    units there are in all, in an answer that tells it. `first_page` is None for one that answers
    all units at once, which is asked without `page` and `size`.
    """

    url: str
    user: str
    password: Secret
    list: str = "units"
    id: str = "id"
    name: str = "name"
    parent: str = ""
    total: str = "total"
    page: str = "page"
    size: str = "pageSize"
    first_page: int | None = 0
    timeout_seconds: float = 120.0
    first_pause_seconds: float = FIRST_PAUSE_SECONDS
