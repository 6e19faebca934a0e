"""The stack of the acceptance tests."""

from tests.acceptance.conftest import open_trip

__all__ = ["open_trip"]
