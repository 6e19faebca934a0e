"""Where to find the tests of the scheduler's modules that no file of tests is named for."""

from collections.abc import Mapping

RPC = "tests/scheduler_service/rpc"
STORE = "tests/scheduler_service/store"

ACCESS = f"{RPC}/test_access_and_start.py"
OVER_THE_WIRE = f"{RPC}/test_a_pipeline_over_the_wire.py"
BAD_REQUESTS = f"{RPC}/test_bad_requests.py"
BAD_WORKERS = f"{RPC}/test_bad_worker_requests.py"
HINTS = f"{RPC}/test_hints_between_schedulers.py"
LARGE_PIPELINES = f"{RPC}/test_large_pipelines.py"
LIST_WORKERS = f"{RPC}/test_list_workers.py"
LOCKED_PIPELINES = f"{RPC}/test_locked_pipelines.py"
ODD_REQUESTS = f"{RPC}/test_odd_requests.py"
WATCH_ALL = f"{RPC}/test_watch_pipelines.py"
WATCH_POLLS = f"{RPC}/test_watch_polls.py"
BATCHES = f"{STORE}/test_batches_equal_their_items.py"
AT_ONCE = f"{STORE}/test_operations_at_once.py"
EXPLAIN = f"{STORE}/reads/test_explain_job.py"
HEARTBEATS = f"{STORE}/claim/test_heartbeats.py"
KEYS = f"{STORE}/ending/test_keys.py"
LEASES = f"{STORE}/sweep/test_leases.py"
LISTS = f"{STORE}/reads/test_lists.py"
ROWS = f"{STORE}/core/test_rows.py"
SET_ASIDES = f"{STORE}/sweep/test_set_asides.py"
SUBMIT = f"{STORE}/submit/test_submit_jobs.py"
TICKS = f"{STORE}/schedule/test_submit_ticks.py"
VERIFY = f"{STORE}/verify/test_verify_history.py"
SWEEP_STEPS = "tests/scheduler_service/sweeps/test_sweep_steps.py"

# Folder -> module -> its tests.
TESTED_IN_SCHEDULER: Mapping[str, Mapping[str, str]] = {
    "scheduler_service": {
        "__main__": f"{RPC}/test_the_end.py",
        "declared_job_types": "tests/carbonline/serving/test_declared_job_types.py",
        "limit_settings": f"{RPC}/test_limits.py",
        "metrics": "tests/observability/test_documented_names.py",
        "server": ACCESS,
        "settings": "tests/carbonline/serving/test_declared_settings.py",
        "store_observer": SET_ASIDES,
    },
    "scheduler_service/jobs": {
        "active": f"{STORE}/reads/test_active_pipelines.py",
        "heartbeats": HEARTBEATS,
        "invariants": VERIFY,
        "job_facts": "tests/scheduler_service/jobs/test_explain.py",
        "job_type_stats": f"{RPC}/test_job_types.py",
        "limits": f"{STORE}/submit/test_limits.py",
        "requests": BATCHES,
        "schedules": TICKS,
        "scope": "tests/scheduler_service/jobs/test_job_types.py",
    },
    "scheduler_service/rpc": {
        "check_claims": BAD_WORKERS,
        "check_interventions": BAD_REQUESTS,
        "check_operations": BAD_REQUESTS,
        "check_payload": BAD_REQUESTS,
        "check_schedules": f"{RPC}/test_schedules.py",
        "check_submit": BAD_REQUESTS,
        "explanations": f"{RPC}/test_explain_job.py",
        "feed": f"{RPC}/test_running_pipelines.py",
        "fields": ODD_REQUESTS,
        "gathered_calls": LOCKED_PIPELINES,
        "gradually": LARGE_PIPELINES,
        "long_poll": f"{RPC}/test_claims_behind_a_look.py",
        "messages": OVER_THE_WIRE,
        "pages": f"{RPC}/test_job_lists.py",
        "refusals": BAD_REQUESTS,
        "scheduler_servicer": OVER_THE_WIRE,
        "snapshots": LARGE_PIPELINES,
        "stream_ends": f"{RPC}/test_watches_end.py",
        "tenant_feed": WATCH_ALL,
        "tenant_watches": WATCH_ALL,
        "wakes": f"{RPC}/test_watches_end.py",
        "watch": WATCH_POLLS,
    },
    "scheduler_service/rpc/operations": {
        "blobs": f"{RPC}/test_named_blobs.py",
        "callers": f"{RPC}/test_access_and_start.py",
        "history": f"{RPC}/test_verify_history.py",
        "jobs": f"{RPC}/test_get_job.py",
        "operations_servicer": f"{RPC}/test_roles.py",
        "pipelines": f"{RPC}/test_pipeline_counts.py",
        "queues": f"{RPC}/test_queue_stats.py",
        "recovery": f"{RPC}/test_recover_job.py",
        "uploads": f"{RPC}/test_withdrawals.py",
        "workers": LIST_WORKERS,
    },
    "scheduler_service/store": {
        "store": AT_ONCE,
    },
    "scheduler_service/store/claim": {
        "heartbeat": HEARTBEATS,
        "see_worker": HEARTBEATS,
        "seen_workers": HEARTBEATS,
    },
    "scheduler_service/store/core": {
        "claimed": f"{STORE}/claim/test_claim_jobs.py",
        "freshness": f"{STORE}/reads/test_stale_stats.py",
        "gather": LOCKED_PIPELINES,
        "locked_jobs": f"{RPC}/test_calls_locked_out.py",
        "observer": f"{STORE}/claim/test_passed_over.py",
        "patient_units": f"{RPC}/test_calls_locked_out.py",
        "schema_revision": ACCESS,
        "pool": f"{RPC}/test_readers.py",
        "pool_sizes": f"{RPC}/test_readers.py",
        "removed": "tests/scheduler_service/sweeps/test_retention.py",
        "run_units": AT_ONCE,
        "set_aside": SET_ASIDES,
        "unit_of_work": f"{STORE}/ending/test_needs.py",
        "unlocked": f"{STORE}/submit/test_submit_unlocked.py",
        "uuids": BAD_REQUESTS,
    },
    "scheduler_service/store/core/tables": {
        "jobs": ROWS,
        "schedules": ROWS,
        "schema": ROWS,
        "upkeep": ROWS,
        "years": ROWS,
    },
    "scheduler_service/store/ending": {
        "end_jobs": BATCHES,
        "insert_jobs": KEYS,
    },
    "scheduler_service/store/finish": {
        "finish_unlocked": LOCKED_PIPELINES,
    },
    "scheduler_service/store/notify": {
        "listener": HINTS,
        "notifier": HINTS,
    },
    "scheduler_service/store/pause": {
        "drain_worker": f"{RPC}/test_drain_worker.py",
        "no_more_claims": f"{RPC}/test_drain_worker.py",
    },
    "scheduler_service/store/reads": {
        "answers": LISTS,
        "done": f"{RPC}/test_recover_job.py",
        "explain": EXPLAIN,
        "explain_rows": EXPLAIN,
        "filters": LISTS,
        "queue_stats": f"{RPC}/test_queue_stats.py",
        "reads": LISTS,
        "rows": LISTS,
        "slots": f"{RPC}/test_slots.py",
        "years": f"{RPC}/test_years.py",
    },
    "scheduler_service/store/release": {
        "company": f"{STORE}/claim/test_claim_alone.py",
        "release_claims": LEASES,
        "release_jobs": BATCHES,
        "release_unlocked": f"{RPC}/test_calls_locked_out.py",
        "supersede": KEYS,
    },
    "scheduler_service/store/schedule": {
        "schedules": TICKS,
    },
    "scheduler_service/store/submit": {
        "known_requests": SUBMIT,
    },
    "scheduler_service/store/sweep": {
        "sweep": SET_ASIDES,
    },
    "scheduler_service/store/verify": {
        "rows": VERIFY,
    },
    "scheduler_service/sweeps": {
        "loop": SWEEP_STEPS,
        "steps": SWEEP_STEPS,
    },
}
