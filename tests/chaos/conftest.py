"""The stack of the acceptance tests."""

from tests.acceptance.conftest import open_run

__all__ = ["open_run"]
