"""The product's scheduler or ledger process, whose callers act for two tenants.

`python shaken_server.py scheduler`, or `ledger`.
"""

import sys
from pathlib import Path

import scheduler_service.__main__
import scheduler_service.server
import worker_service.__main__
import worker_service.ledger_api.server
from carbonline.serving.principals import LocalAuthenticator, Principal

FLOOD = "flood"


class OfTwoTenants(LocalAuthenticator):
    """Everybody who reaches the socket acts for both."""

    def __init__(self, tenant: str, token_file: Path | None) -> None:
        super().__init__(tenant, token_file)
        self._principal = Principal("local", (tenant, FLOOD))


if __name__ == "__main__":
    for server in (scheduler_service.server, worker_service.ledger_api.server):
        setattr(server, "LocalAuthenticator", OfTwoTenants)  # noqa: B010  mypy: imported there
    if sys.argv[1] == "scheduler":
        sys.exit(scheduler_service.__main__.main([]))
    sys.exit(worker_service.__main__.main(["ledger"]))
