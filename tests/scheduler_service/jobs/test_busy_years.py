"""A year is busy with the jobs that may change it, whatever their module and type."""

import pytest

from scheduler_service.jobs.busy_years import keeps_busy, keys_of_year
from scheduler_service.jobs.catalogue import MODULE_OF_TYPE
from scheduler_service.jobs.job_types import JOB_TYPES, JobType
from scheduler_service.jobs.scope import Scope


@pytest.mark.parametrize("job_type", [name for name, row in JOB_TYPES.items() if row.exclusive])
@pytest.mark.parametrize("data_entry_type", sorted(MODULE_OF_TYPE))
def test_the_keys_of_a_year_are_those_of_all_its_jobs(job_type: str, data_entry_type: int) -> None:
    module = MODULE_OF_TYPE[data_entry_type]
    scope = Scope("uni", module, data_entry_type, 2024, None, "locations")
    keys = keys_of_year("uni", 2024)
    assert JOB_TYPES[job_type].exclusive_key(scope) in keys
    assert len(keys) == len(set(keys))


def test_only_places_change_every_year() -> None:
    assert keeps_busy(None, "reference_ingest", 2024)
    assert keeps_busy(2024, "unit_sync", 2024)
    assert not keeps_busy(2025, "unit_sync", 2024)
    assert not keeps_busy(None, "unit_removal", 2024)


@pytest.mark.parametrize("row", JOB_TYPES.values(), ids=JOB_TYPES)
def test_what_changes_a_year_or_chains_it_has_a_key_by_which_it_is_found(row: JobType) -> None:
    chained = [JOB_TYPES[name] for name in row.children if name != row.name]
    changes = row.writes_data or any(one.writes_data for one in chained)
    assert row.exclusive is not None or not changes
