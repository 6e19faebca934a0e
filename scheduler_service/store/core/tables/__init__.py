"""What schema scheduler must be: the migrated database is compared with these tables."""

from scheduler_service.store.core.tables import jobs, schedules, upkeep, years
from scheduler_service.store.core.tables.schema import METADATA

__all__ = ["METADATA", "jobs", "schedules", "upkeep", "years"]
