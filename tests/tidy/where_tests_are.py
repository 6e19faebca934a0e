"""Where to find the tests of a module that no file of tests is named for.

Such a module is small, and is tested through the operation that uses it.
"""

from collections.abc import Mapping

from tests.tidy.where_worker_tests_are import TESTED_IN_WORKERS

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
SIGNED = "tests/scheduler_service/rpc/test_signed_tokens.py"
THE_END = "tests/scheduler_service/rpc/test_the_end.py"
CHECKED = "tests/carbonline/command/test_check_file.py"

# Folder -> module -> its tests.
TESTED_IN: Mapping[str, Mapping[str, str]] = {
    "carbonline": {"extras": "tests/package/test_distributions.py"},
    "carbonline/client": {
        "async_client": SCRIPTS,
        "calls": "tests/carbonline/client/test_no_answer.py",
        "channel": "tests/proxy/test_replayed_calls.py",
        "check_findings": CHECKED,
        "check_report": CHECKED,
        "contract_client": "tests/scheduler_service/rpc/test_large_messages.py",
        "errors": MISTAKES,
        "file_loads": CHECKED,
        "json_struct": "tests/carbonline/command/test_follow.py",
        "noted_rows": SCRIPTS,
        "monitoring_calls": COMMANDS,
        "operator_calls": DOCUMENTED,
        "pending": SCRIPTS,
        "reports": SCRIPTS,
        "services": MISTAKES,
        "submission": SCRIPTS,
        "sync_client": SCRIPTS,
        "tls_files": "tests/scheduler_service/rpc/test_tls.py",
        "totals_frame": SCRIPTS,
        "upkeep_calls": VERIFY,
        "view": "tests/carbonline/client/test_watch.py",
    },
    "carbonline/command": {
        "doctor_checks": "tests/carbonline/command/test_doctor.py",
        "console": "tests/gateway/test_session.py",
        "token": "tests/carbonline/local/test_token_issuer.py",
        "mapping_options": "tests/carbonline/command/test_mapped_files.py",
        "asynchronous": MISTAKES,
        "cancel": COMMANDS,
        "collected_options": TYPING,
        "columns": "tests/carbonline/command/test_table.py",
        "reasons": "tests/scheduler_service/rpc/test_pauses.py",
        "command_group": TYPING,
        "completion": TYPING,
        "connection": MISTAKES,
        "consequence": UPLOADS,
        "demo": "tests/acceptance/test_demo.py",
        "exit_codes": "tests/carbonline/command/test_follow.py",
        "explain": DOCUMENTED,
        "active": DOCUMENTED,
        "queue": DOCUMENTED,
        "job_types": DOCUMENTED,
        "modules": "tests/cases/test_types.py",
        "seed": "tests/university/test_seeded_university.py",
        "slots": DOCUMENTED,
        "stale": DOCUMENTED,
        "factors": MISSING,
        "factor_source": "tests/carbonline/command/test_factors_diff.py",
        "factors_shelf": "tests/cases/test_shelf.py",
        "held_up": DISPLAY,
        "input_file": UPLOADS,
        "interrupts": "tests/carbonline/command/test_output_failures.py",
        "job_stats": COMMANDS,
        "job": "tests/scheduler_service/rpc/test_get_job.py",
        "jobs": COMMANDS,
        "jobs_of_files": "tests/carbonline/command/test_upload_progress.py",
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
        "references": "tests/cases/test_types.py",
        "report": "tests/docs/test_documented_commands.py",
        "report_charts": "tests/carbonline/command/test_report_html.py",
        "report_gaps": "tests/carbonline/command/test_totals_by.py",
        "report_text": "tests/carbonline/command/test_report_page.py",
        "remove": MISSING,
        "retry": DOCUMENTED,
        "row_files": "tests/carbonline/command/test_output.py",
        "scope_columns": COMMANDS,
        "submit": COMMANDS,
        "template": COMMANDS,
        "results": MISSING,
        "uncomputed": MISSING,
        "units": MISSING,
        "up": STACK,
        "verify_ledger": VERIFY,
        "ways_out": MISSING,
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
        "tls_refusal": "tests/carbonline/serving/test_database_tls.py",
        "full_disk": "tests/worker_service/steps/test_outages.py",
        "ping": "tests/carbonline/serving/test_health.py",
        "sqlstates": "tests/carbonline/postgres/test_errors.py",
        "url": "tests/carbonline/migrations/test_database_urls.py",
    },
    "carbonline/serving": {
        "call_limits": "tests/carbonline/serving/test_declared_settings.py",
        "calls_at_work": "tests/scheduler_service/rpc/test_frozen_database.py",
        "silence": "tests/scheduler_service/rpc/test_frozen_database.py",
        "decoding": "tests/scheduler_service/rpc/test_odd_requests.py",
        "receiving": "tests/scheduler_service/rpc/test_calls_in_flight.py",
        "drain": THE_END,
        "errors": "tests/tidy/test_protos_name_their_errors.py",
        "interceptor": ACCESS,
        "metrics_address": "tests/carbonline/serving/test_metrics_port.py",
        "reflection": "tests/scheduler_service/rpc/test_reflection.py",
        "tls_settings": "tests/carbonline/serving/test_declared_settings.py",
        "client_tls_settings": "tests/gateway/test_settings.py",
        "settings_check": "tests/carbonline/command/test_config.py",
        "tls": "tests/scheduler_service/rpc/test_tls.py",
        "until_end": THE_END,
    },
    "carbonline/serving/auth": {
        "access": SIGNED,
        "admission": SIGNED,
        "audit": "tests/observability/test_audit.py",
        "certificates": "tests/scheduler_service/rpc/test_client_certificates.py",
        "module_names": "tests/carbonline/serving/test_jwt_tokens.py",
        "expiry": SIGNED,
        "key_source": "tests/carbonline/serving/test_key_set.py",
        "principals": ACCESS,
        "roles": "tests/tidy/test_every_rpc_is_served.py",
        "token_settings": "tests/carbonline/serving/test_declared_settings.py",
    },
    **TESTED_IN_WORKERS,
}
