"""Where to find the tests of a module that no file of tests is named for.

Such a module is small, and is tested through the operation that uses it.
"""

from collections.abc import Mapping

SCRIPTS = "tests/carbonline/client/test_scripts.py"
COMMANDS = "tests/carbonline/command/test_commands.py"
MISTAKES = "tests/carbonline/command/test_mistakes.py"
TYPING = "tests/carbonline/command/test_typing.py"
MISSING = "tests/carbonline/command/test_what_is_missing.py"
UPLOADS = "tests/carbonline/command/test_uploads.py"
VERIFY = "tests/carbonline/command/test_verify.py"
DISPLAY = "tests/carbonline/command/test_display.py"
DOCUMENTED = "tests/docs/test_documented_commands.py"
STACK = "tests/carbonline/local/test_stack.py"
POSTGRES = "tests/carbonline/local/test_postgres.py"
ACCESS = "tests/scheduler_service/rpc/test_access_and_start.py"
THE_END = "tests/scheduler_service/rpc/test_the_end.py"
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
VERIFIED = "tests/worker_service/steps/test_verified_ledger.py"
FILES_TO_TOTALS = "tests/worker_service/steps/test_files_to_totals.py"
REPLACING = "tests/worker_service/steps/test_adding_and_replacing.py"
INGEST = "tests/worker_service/steps/test_csv_ingest.py"

# Folder -> module -> its tests.
TESTED_IN: Mapping[str, Mapping[str, str]] = {
    "carbonline": {"extras": "tests/package/test_distributions.py"},
    "carbonline/client": {
        "async_client": SCRIPTS,
        "calls": "tests/carbonline/client/test_no_answer.py",
        "channel": "tests/proxy/test_replayed_calls.py",
        "contract_client": "tests/scheduler_service/rpc/test_large_messages.py",
        "errors": MISTAKES,
        "json_struct": "tests/carbonline/command/test_follow.py",
        "monitoring_calls": COMMANDS,
        "operator_calls": DOCUMENTED,
        "pending": SCRIPTS,
        "reports": SCRIPTS,
        "services": MISTAKES,
        "submission": SCRIPTS,
        "sync_client": SCRIPTS,
        "totals_frame": SCRIPTS,
        "upkeep_calls": VERIFY,
        "view": "tests/carbonline/client/test_watch.py",
    },
    "carbonline/command": {
        "asynchronous": MISTAKES,
        "cancel": COMMANDS,
        "collected_options": TYPING,
        "columns": "tests/carbonline/command/test_table.py",
        "command_group": TYPING,
        "completion": TYPING,
        "connection": MISTAKES,
        "consent": UPLOADS,
        "consequence": UPLOADS,
        "demo": "tests/acceptance/test_demo.py",
        "exit_codes": "tests/carbonline/command/test_follow.py",
        "explain": DOCUMENTED,
        "active": DOCUMENTED,
        "queue": DOCUMENTED,
        "job_types": DOCUMENTED,
        "modules": "tests/cases/test_types.py",
        "slots": DOCUMENTED,
        "stale": DOCUMENTED,
        "factors": MISSING,
        "held_up": DISPLAY,
        "input_file": UPLOADS,
        "interrupts": "tests/carbonline/command/test_output_failures.py",
        "job_stats": COMMANDS,
        "job": "tests/scheduler_service/rpc/test_get_job.py",
        "jobs": COMMANDS,
        "jobs_of_files": "tests/carbonline/command/test_upload_progress.py",
        "kilograms": UPLOADS,
        "known_years": TYPING,
        "limits": COMMANDS,
        "load": MISSING,
        "lock": DOCUMENTED,
        "locations": MISSING,
        "main": COMMANDS,
        "migrate": COMMANDS,
        "options": TYPING,
        "output_file": "tests/carbonline/command/test_output.py",
        "drain": DOCUMENTED,
        "pause": DOCUMENTED,
        "picture": DISPLAY,
        "recalculate": MISSING,
        "recover": DOCUMENTED,
        "rejected": COMMANDS,
        "remove": MISSING,
        "retry": DOCUMENTED,
        "row_files": "tests/carbonline/command/test_output.py",
        "scope_columns": COMMANDS,
        "submit": COMMANDS,
        "template": COMMANDS,
        "uncomputed": MISSING,
        "units": MISSING,
        "up": STACK,
        "verify_ledger": VERIFY,
        "waiting": DISPLAY,
        "warnings": COMMANDS,
        "watch": COMMANDS,
        "withdraw": UPLOADS,
        "workers": COMMANDS,
    },
    "carbonline/local": {
        "addresses": STACK,
        "child_process": "tests/carbonline/local/test_launch.py",
        "errors": STACK,
        "folder_lock": "tests/carbonline/local/test_stale_sockets.py",
        "health": STACK,
        "healthcheck": "tests/build/test_compose.py",
        "programs": STACK,
        "readiness": STACK,
        "settings": STACK,
        "socket_folder": "tests/carbonline/local/test_stale_sockets.py",
        "stack_file": STACK,
        "supervision": STACK,
    },
    "carbonline/local/postgres": {
        "binaries": POSTGRES,
        "data_folder": POSTGRES,
        "server": POSTGRES,
    },
    "carbonline/migrations": {
        "environment": "tests/carbonline/migrations/test_run.py",
        "patiently": "tests/carbonline/migrations/test_other_sessions.py",
    },
    "carbonline/postgres": {
        "full_disk": "tests/worker_service/steps/test_outages.py",
        "ping": "tests/carbonline/serving/test_health.py",
        "pool": "tests/carbonline/serving/test_database_start.py",
        "sqlstates": "tests/carbonline/postgres/test_errors.py",
        "url": "tests/carbonline/migrations/test_database_urls.py",
    },
    "carbonline/serving": {
        "call_limits": "tests/carbonline/serving/test_declared_settings.py",
        "decoding": "tests/scheduler_service/rpc/test_odd_requests.py",
        "receiving": "tests/scheduler_service/rpc/test_calls_in_flight.py",
        "drain": THE_END,
        "errors": "tests/tidy/test_protos_name_their_errors.py",
        "interceptor": ACCESS,
        "metrics_port": "tests/observability/test_worker_metrics.py",
        "principals": ACCESS,
        "reflection": "tests/scheduler_service/rpc/test_reflection.py",
        "roles": "tests/tidy/test_every_rpc_is_served.py",
        "until_end": THE_END,
    },
    "worker_service": {
        "__main__": PROCESS,
        "ledger_and_blobs": "tests/worker_service/steps/test_outages.py",
        "ledger_database": "tests/carbonline/serving/test_database_start.py",
        "metrics": "tests/observability/test_worker_metrics.py",
        "settings": PROCESS,
        "worker": PROCESS,
    },
    "worker_service/blobs": {
        "folder_lock": "tests/worker_service/blobs/test_removal.py",
        "reference": "tests/worker_service/blobs/test_store.py",
    },
    "worker_service/carbon": {
        "declarations": CATALOGUE,
        "describe": CATALOGUE,
        "emission_tree": CATALOGUE,
        "great_circle": "tests/docs/test_worked_example.py",
        "matching": COMPUTE,
        "outcomes": COMPUTE,
        "place_keys": EXAMPLES,
        "shipped_places": "tests/worker_service/carbon/test_moved_places.py",
        "stored": CATALOGUE,
    },
    "worker_service/carbon/catalogue": {"kilograms_per": EXAMPLES},
    "worker_service/carbon/catalogue/buildings": {
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
    "worker_service/carbon/catalogue/external_cloud_and_ai": {"external_ai": EXAMPLES},
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
    },
    "worker_service/carbon/catalogue/purchase": {"additional_purchases": EXAMPLES},
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
        "band_gaps": "tests/worker_service/carbon/test_factors.py",
        "detoured_bands": "tests/worker_service/carbon/test_factors.py",
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
        "errors": "tests/worker_service/ledger/test_fences.py",
        "formula_inputs": "tests/worker_service/steps/test_emission_recalc.py",
        "frames": "tests/worker_service/ledger/test_entry_sets.py",
        "input_versions": "tests/worker_service/ledger/test_emission_sets.py",
        "named_blobs": "tests/worker_service/steps/test_unnamed_blobs.py",
        "job_answers": "tests/worker_service/steps/test_earlier_attempts.py",
        "pool": "tests/worker_service/ledger/test_fences.py",
        "published_kilograms": "tests/worker_service/steps/test_large_changes.py",
        "reference_lists": LISTS,
        "rehearsal": "tests/worker_service/steps/test_large_changes.py",
        "row_digests": "tests/worker_service/steps/test_shared_rows.py",
        "tables": "tests/carbonline/migrations/test_run.py",
        "unit_list": LISTS,
        "upload_list": "tests/worker_service/ledger_api/test_uploads.py",
        "usage": REPLACING,
    },
    "worker_service/ledger_api": {
        "fields": "tests/worker_service/ledger_api/test_odd_requests.py",
        "ledger_servicer": "tests/worker_service/ledger_api/test_server.py",
        "stored_text": "tests/worker_service/ledger_api/test_uncomputed.py",
        "threads": "tests/worker_service/ledger_api/test_blob_servicer.py",
        "unit_list": LISTS,
        "units": "tests/worker_service/ledger_api/test_totals.py",
        "verification": VERIFIED,
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
        "aggregation": FILES_TO_TOTALS,
        "corrected_places": "tests/worker_service/steps/test_moved_places.py",
        "follow_ups_done": INGEST,
        "factor_ingest": REPLACING,
        "input_file": "tests/worker_service/steps/test_refused_files.py",
        "kilograms_ahead": INGEST,
        "noop": PROCESS,
        "place_removal": REPLACING,
        "reference_ingest": REPLACING,
        "stale_in_use": "tests/worker_service/steps/test_emission_recalc.py",
        "stores": "tests/worker_service/steps/test_refused_files.py",
        "table_report": "tests/worker_service/steps/test_small_files.py",
        "taking_away": REPLACING,
        "unit_sync": "tests/worker_service/steps/test_small_files.py",
        "upload_sentences": INGEST,
    },
}
