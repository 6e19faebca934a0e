"""The store's fixtures, for what sweeps over it."""

from tests.scheduler_service.store.conftest import driver, store

__all__ = ["driver", "store"]
