"""What would replace the data of a newer job of any type."""

import pytest

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.rivals import rivals_of
from scheduler_service.jobs.scope import Scope

SCOPE = Scope("uni", 2, 20, 2024, "0828", "locations")
ENTRIES = {"csv_ingest", "api_ingest"}
BROUGHT = {
    "csv_ingest": ENTRIES,
    "api_ingest": ENTRIES,
    "routed_ingest": {*ENTRIES, "routed_ingest"},
    "factor_ingest": {"factor_ingest"},
    "routed_factor_ingest": {"factor_ingest", "routed_factor_ingest"},
    "reference_ingest": {"reference_ingest"},
    "unit_sync": {"unit_sync", "unit_removal"},
    "unit_removal": {"unit_sync", "unit_removal"},
}


@pytest.mark.parametrize("job_type", JOB_TYPES)
def test_each_type_has_the_rivals_that_bring_the_same_data(job_type: str) -> None:
    found = {rival.job_type for rival in rivals_of(job_type, SCOPE, None)}
    assert found == BROUGHT.get(job_type, set())


def test_whatever_writes_what_people_bring_is_a_rival_or_names_what_it_takes_out() -> None:
    brought = {"entries", "factors", "reference", "units"}
    writers = {row.name for row in JOB_TYPES.values() if row.target in brought and row.writes}
    # It names its upload by number: one that was replaced is not found.
    assert writers - {"upload_withdrawal"} <= BROUGHT.keys()


def test_a_rival_is_told_apart_by_what_the_ledger_tells_apart() -> None:
    payloads = {"source": "agency", "provider": "travel-api", "transport_mode": "plane"}
    told = {
        name: {(r.module, r.data_entry_type, r.year, r.unit, r.reference_kind, r.name)}
        for name in BROUGHT
        for r in rivals_of(name, SCOPE, payloads)[:1]
    }
    assert told == {
        "csv_ingest": {(2, 20, 2024, "0828", None, "agency")},
        "api_ingest": {(2, 20, 2024, "0828", None, "travel-api")},
        "routed_ingest": {(2, None, 2024, "0828", None, "agency")},
        "factor_ingest": {(2, 20, 2024, None, None, "")},
        "routed_factor_ingest": {(2, None, 2024, None, None, "")},
        "reference_ingest": {(None, None, None, None, "locations", "plane")},
        "unit_sync": {(None, None, None, None, None, "")},
        "unit_removal": {(None, None, None, None, None, "")},
    }
