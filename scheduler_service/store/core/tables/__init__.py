"""What schema scheduler must be: the migrated database is compared with these tables."""

from scheduler_service.store.core.tables import jobs, upkeep, years
from scheduler_service.store.core.tables.schema import METADATA

__all__ = ["METADATA", "jobs", "upkeep", "years"]
