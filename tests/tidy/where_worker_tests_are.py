"""Where to find the tests of a module of the workers that no file of tests is named for."""

from collections.abc import Mapping

CATALOGUE = "tests/worker_service/carbon/test_catalogue.py"
READING = "tests/worker_service/carbon/test_reading.py"
SPREADSHEETS = "tests/worker_service/carbon/test_spreadsheet_values.py"
EXAMPLES = "tests/worker_service/carbon/test_worked_examples.py"
WORKBOOKS = "tests/worker_service/carbon/test_text_of.py"
COMPUTE = "tests/worker_service/carbon/test_compute.py"
LISTS = "tests/worker_service/ledger_api/test_reference_lists.py"
RUNNER = "tests/worker_service/mechanics/test_job_runner.py"
LEASES = "tests/worker_service/mechanics/test_lease_keeper.py"
CLAIMS = "tests/worker_service/mechanics/test_claim_loop.py"
PROCESS = "tests/worker_service/mechanics/test_worker_process.py"
SCHEDULER_CLIENT = "tests/worker_service/scheduler_client/test_client.py"
MIGRATED = "tests/carbonline/migrations/test_run.py"
VERIFIED = "tests/worker_service/steps/test_verified_ledger.py"
FILES_TO_TOTALS = "tests/worker_service/steps/test_files_to_totals.py"
REPLACING = "tests/worker_service/steps/test_adding_and_replacing.py"
TRAVEL_API = "tests/worker_service/providers/test_travel_api.py"
HISTORY = "tests/worker_service/steps/test_old_history.py"
INGEST = "tests/worker_service/steps/test_csv_ingest.py"

# Folder -> module -> its tests.
TESTED_IN_WORKERS: Mapping[str, Mapping[str, str]] = {
    "worker_service": {
        "__main__": PROCESS,
        "ledger_and_blobs": "tests/worker_service/steps/test_outages.py",
        "metrics": "tests/observability/test_worker_metrics.py",
        "settings": PROCESS,
        "worker": PROCESS,
    },
    "worker_service/providers": {
        "access": TRAVEL_API,
        "json_calls": TRAVEL_API,
        "provider": TRAVEL_API,
        "secret": TRAVEL_API,
        "travel_rows": TRAVEL_API,
        "unit_directory": "tests/worker_service/steps/test_unit_directory.py",
    },
    "worker_service/blobs": {
        "any_store": "tests/worker_service/blobs/test_object_store.py",
        "folder_lock": "tests/worker_service/blobs/test_removal.py",
        "object_calls": "tests/worker_service/blobs/test_object_store.py",
        "object_removal": "tests/worker_service/blobs/test_object_store.py",
        "object_urls": "tests/worker_service/blobs/test_object_store.py",
        "reference": "tests/worker_service/blobs/test_store.py",
    },
    "worker_service/carbon": {
        "routes": "tests/worker_service/steps/test_routed_ingest.py",
        "declarations": CATALOGUE,
        "describe": CATALOGUE,
        "emission_tree": CATALOGUE,
        "exchange_rates": EXAMPLES,
        "great_circle": "tests/docs/test_worked_example.py",
        "reference_kinds": "tests/worker_service/carbon/test_reference_rows.py",
        "reference_lookup": EXAMPLES,
        "matching": COMPUTE,
        "outcomes": COMPUTE,
        "place_keys": EXAMPLES,
        "shipped_places": "tests/worker_service/carbon/test_moved_places.py",
        "stored": CATALOGUE,
    },
    "worker_service/carbon/catalogue": {
        "amounts": "tests/worker_service/carbon/test_plausible_numbers.py",
        "modules": CATALOGUE,
        "quantities": EXAMPLES,
    },
    "worker_service/carbon/catalogue/buildings": {
        "building": EXAMPLES,
        "building_embodied_energy": EXAMPLES,
        "energy_combustion": EXAMPLES,
        "purchased_energy": EXAMPLES,
    },
    "worker_service/carbon/catalogue/equipment": {
        "equipment_in_use": EXAMPLES,
        "it": EXAMPLES,
        "other": EXAMPLES,
        "scientific": EXAMPLES,
    },
    "worker_service/carbon/catalogue/external_cloud_and_ai": {
        "external_ai": EXAMPLES,
        "external_clouds": EXAMPLES,
    },
    "worker_service/carbon/catalogue/headcount": {
        "homeworking": EXAMPLES,
        "member": EXAMPLES,
        "people_factors": EXAMPLES,
        "student": EXAMPLES,
    },
    "worker_service/carbon/catalogue/process_emissions": {"process_emissions": EXAMPLES},
    "worker_service/carbon/catalogue/professional_travel": {
        "plane": EXAMPLES,
        "road_travel": EXAMPLES,
        "train": EXAMPLES,
        "trip_columns": EXAMPLES,
    },
    "worker_service/carbon/catalogue/purchase": {
        "additional_purchases": EXAMPLES,
        "biological_chemical_gaseous_product": EXAMPLES,
        "consumable_accessories": EXAMPLES,
        "it_equipment": EXAMPLES,
        "other_purchases": EXAMPLES,
        "scientific_equipment": EXAMPLES,
        "services": EXAMPLES,
        "spending": EXAMPLES,
        "vehicles": EXAMPLES,
    },
    "worker_service/carbon/workbooks": {
        "archives": WORKBOOKS,
        "cells": WORKBOOKS,
        "error_cells": WORKBOOKS,
        "extraction": WORKBOOKS,
        "names": WORKBOOKS,
        "sheets": WORKBOOKS,
    },
    "worker_service/carbon/catalogue/research_facilities": {
        "facility_use": EXAMPLES,
        "mice_and_fish_animal_facilities": EXAMPLES,
        "research_facilities": EXAMPLES,
    },
    "worker_service/carbon/csv_source": {
        "byte_stream": READING,
        "foreign_names": "tests/worker_service/carbon/test_near_names.py",
        "header": READING,
        "invisible": READING,
        "lines": READING,
        "plain_digits": SPREADSHEETS,
        "reason_columns": "tests/worker_service/carbon/test_mended.py",
        "records": READING,
        "refusal": READING,
        "shown": READING,
        "spreadsheet_text": SPREADSHEETS,
        "survey": READING,
        "widths": READING,
    },
    "worker_service/carbon/parse": {
        "routed_rows": "tests/worker_service/steps/test_routed_ingest.py",
        "band_gaps": "tests/worker_service/carbon/test_factors.py",
        "detoured_bands": "tests/worker_service/carbon/test_factors.py",
        "constants": "tests/worker_service/carbon/test_mapped_tables.py",
        "formats": "tests/worker_service/carbon/test_file_mapping.py",
        "equal_rows": "tests/worker_service/carbon/test_entries.py",
        "invisible_in_keys": SPREADSHEETS,
        "numbers": SPREADSHEETS,
        "pasted_blocks": "tests/worker_service/carbon/test_entries.py",
        "row_warnings": "tests/worker_service/carbon/test_entries.py",
        "rows": "tests/worker_service/carbon/test_entries.py",
        "stations": "tests/worker_service/carbon/test_references.py",
        "tables": "tests/worker_service/carbon/test_references.py",
        "total_rows": SPREADSHEETS,
        "uncorrected_places": "tests/worker_service/steps/test_moved_places.py",
        "unit_hints": SPREADSHEETS,
        "units": "tests/worker_service/carbon/test_entries.py",
    },
    "worker_service/ledger": {
        "canary": "tests/worker_service/steps/test_outages.py",
        "changed_units": "tests/worker_service/steps/test_changed_units.py",
        "errors": "tests/worker_service/ledger/test_fences.py",
        "formula_inputs": "tests/worker_service/steps/test_emission_recalc.py",
        "frames": "tests/worker_service/ledger/test_entry_sets.py",
        "input_versions": "tests/worker_service/ledger/test_emission_sets.py",
        "named_blobs": "tests/worker_service/steps/test_unnamed_blobs.py",
        "saved_mappings": "tests/worker_service/ledger_api/test_saved_mappings.py",
        "job_answers": "tests/worker_service/steps/test_earlier_attempts.py",
        "pool": "tests/worker_service/ledger/test_fences.py",
        "published_state": "tests/worker_service/ledger_api/test_kept_totals.py",
        "published_kilograms": "tests/worker_service/steps/test_large_changes.py",
        "reference_lists": LISTS,
        "reference_row_list": "tests/worker_service/ledger_api/test_reference_rows.py",
        "report": "tests/worker_service/ledger_api/test_report.py",
        "rehearsal": "tests/worker_service/steps/test_large_changes.py",
        "row_results": "tests/worker_service/ledger_api/test_emissions.py",
        "row_digests": "tests/worker_service/steps/test_shared_rows.py",
        "repeated_keys": "tests/worker_service/steps/test_repeated_people.py",
        "unit_list": LISTS,
        "upload_list": "tests/worker_service/ledger_api/test_uploads.py",
        "usage": REPLACING,
    },
    "worker_service/ledger_api": {
        "exact_text": "tests/worker_service/ledger_api/test_totals.py",
        "fields": "tests/worker_service/ledger_api/test_odd_requests.py",
        "ledger_servicer": "tests/worker_service/ledger_api/test_server.py",
        "stored_text": "tests/worker_service/ledger_api/test_uncomputed.py",
        "threads": "tests/worker_service/ledger_api/test_blob_servicer.py",
        "unit_list": LISTS,
        "units": "tests/worker_service/ledger_api/test_totals.py",
        "verification": VERIFIED,
    },
    "worker_service/ledger/tables": {
        "claims": MIGRATED,
        "emissions": MIGRATED,
        "entries": MIGRATED,
        "mappings": MIGRATED,
        "references": MIGRATED,
        "schema": MIGRATED,
    },
    "worker_service/ledger/verify": {
        "invariants": VERIFIED,
        "verify_emissions": VERIFIED,
        "verify_tokens": VERIFIED,
        "verify_totals": VERIFIED,
    },
    "worker_service/mechanics": {
        "backoff": "tests/worker_service/mechanics/test_gathered.py",
        "claimed_job": CLAIMS,
        "clock": LEASES,
        "drain": CLAIMS,
        "held_claim": LEASES,
        "job_log": RUNNER,
        "live_run": RUNNER,
        "loop_watch": LEASES,
        "outcome": RUNNER,
        "registry": CLAIMS,
        "run": RUNNER,
        "run_end": RUNNER,
        "scheduler": SCHEDULER_CLIENT,
        "serve": "tests/worker_service/mechanics/test_last_heartbeat.py",
        "verdict": RUNNER,
    },
    "worker_service/scheduler_client": {
        "identity": SCHEDULER_CLIENT,
    },
    "worker_service/steps": {
        "fetched_rows": "tests/worker_service/steps/test_api_ingest.py",
        "proposals": "tests/carbonline/command/test_mapped_files.py",
        "unit_sync": "tests/worker_service/steps/test_unit_directory.py",
        "aggregation": FILES_TO_TOTALS,
        "corrected_places": "tests/worker_service/steps/test_moved_places.py",
        "entry_files": INGEST,
        "deletions": HISTORY,
        "follow_ups_done": INGEST,
        "factor_ingest": REPLACING,
        "input_file": "tests/worker_service/steps/test_refused_files.py",
        "kilograms_ahead": INGEST,
        "published_references": "tests/worker_service/steps/test_same_places.py",
        "reading_key": "tests/worker_service/steps/test_files_read_before.py",
        "file_answer": "tests/worker_service/steps/test_files_read_before.py",
        "noop": PROCESS,
        "reference_removal": REPLACING,
        "reference_ingest": REPLACING,
        "stale_in_use": "tests/worker_service/steps/test_emission_recalc.py",
        "stores": "tests/worker_service/steps/test_refused_files.py",
        "table_report": "tests/worker_service/steps/test_small_files.py",
        "taking_away": REPLACING,
        "upload_sentences": INGEST,
    },
}
