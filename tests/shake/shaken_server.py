"""The product's scheduler or ledger process, whose callers act for two tenants.

`python shaken_server.py scheduler`, or `ledger`.
"""

import sys
from pathlib import Path

import carbonline.serving.auth.access
import scheduler_service.__main__
import worker_service.__main__
from carbonline.serving.auth.principals import LocalAuthenticator, Principal

FLOOD = "flood"


class OfTwoTenants(LocalAuthenticator):
    """Everybody who reaches the socket acts for both."""

    def __init__(self, tenant: str, token_file: Path | None) -> None:
        super().__init__(tenant, token_file)
        self._principal = Principal("local", (tenant, FLOOD))


if __name__ == "__main__":
    setattr(carbonline.serving.auth.access, "LocalAuthenticator", OfTwoTenants)  # noqa: B010  mypy: imported there
    if sys.argv[1] == "scheduler":
        sys.exit(scheduler_service.__main__.main([]))
    sys.exit(worker_service.__main__.main(["ledger"]))
