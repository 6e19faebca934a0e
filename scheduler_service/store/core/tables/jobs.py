"""Pipelines, jobs, claims, and what jobs wait for."""

from sqlalchemy import (
    TIMESTAMP,
    UUID,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from scheduler_service.store.core.tables.schema import IN_TURN, METADATA

# What brings entries or factors.
UPLOADS = (
    "job_type IN"
    " ('csv_ingest', 'api_ingest', 'factor_ingest', 'routed_ingest', 'routed_factor_ingest')"
)
# What brings data: statements that read by its index say all of these names.
BRINGS = (
    "job_type IN"
    " ('csv_ingest', 'api_ingest', 'routed_ingest', 'factor_ingest', 'routed_factor_ingest',"
    " 'reference_ingest', 'unit_sync', 'unit_removal')"
)

pipelines = Table(
    "pipelines",
    METADATA,
    Column("pipeline_id", BigInteger, autoincrement=False, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("module", SmallInteger, nullable=True),
    Column("data_entry_type", SmallInteger, nullable=True),
    Column("year", SmallInteger, nullable=True),
    Column("unit", Text, nullable=True),
    Column("reference_kind", Text, nullable=True),
    Column("status", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("live_jobs", Integer, nullable=False),
    Column("failed_jobs", Integer, nullable=False),
    Column("warned_jobs", Integer, nullable=False),
    Column("root_job_id", BigInteger, nullable=False),
    Column("submitted_by", Text, nullable=False),
    Column("repair_of", BigInteger, nullable=True),
    Column("retry_of", BigInteger, nullable=True),
    Column("cancelled_at", TIMESTAMP(timezone=True), nullable=True),
    Column("cancelled_by", Text, nullable=True),
    Column("cancel_reason", Text, nullable=True),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False),
    Column("finished_at", TIMESTAMP(timezone=True), nullable=True),
    Column("finished_jobs", Integer, nullable=True),
    Column("failed_job_id", BigInteger, nullable=True),
    Column("counted_version", BigInteger, nullable=True),
    Column("schedule", Text, nullable=True),
    PrimaryKeyConstraint("pipeline_id", name="pipelines_pkey"),
    CheckConstraint(
        "status IN ('LIVE', 'SUCCESS', 'PARTIAL', 'FAILED', 'CANCELLED')", name="status_is_known"
    ),
    CheckConstraint("(status = 'LIVE') = (live_jobs > 0)", name="live_iff_something_is_live"),
    CheckConstraint("(status = 'LIVE') = (finished_at IS NULL)", name="finished_iff_not_live"),
    CheckConstraint(
        "live_jobs >= 0 AND failed_jobs >= 0 AND warned_jobs >= 0", name="counters_are_not_negative"
    ),
    Index("pipelines_of_a_tenant_by_number", "tenant", "pipeline_id"),
    Index(
        "pipelines_that_mend_another",
        text("coalesce(repair_of, retry_of)"),
        postgresql_where=text("coalesce(repair_of, retry_of) IS NOT NULL"),
    ),
)

jobs = Table(
    "jobs",
    METADATA,
    Column("job_id", BigInteger, autoincrement=False, nullable=False),
    Column("pipeline_id", BigInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("job_type", Text, nullable=False),
    Column("module", SmallInteger, nullable=True),
    Column("data_entry_type", SmallInteger, nullable=True),
    Column("year", SmallInteger, nullable=True),
    Column("unit", Text, nullable=True),
    Column("reference_kind", Text, nullable=True),
    Column("payload", JSONB, nullable=True),
    Column("state", Text, nullable=False),
    Column("result", Text, nullable=True),
    Column("message", Text, server_default=text("''"), nullable=False),
    Column("error_cause", Text, server_default=text("''"), nullable=False),
    Column("stats", JSONB, nullable=True),
    Column("priority", SmallInteger, nullable=False),
    Column("fair_stamp", BigInteger, nullable=False),
    Column("run_after", TIMESTAMP(timezone=True), nullable=True),
    Column("attempts", SmallInteger, server_default=text("0"), nullable=False),
    Column("attempts_max", SmallInteger, nullable=False),
    Column("releases", SmallInteger, server_default=text("0"), nullable=False),
    Column("expiries", SmallInteger, server_default=text("0"), nullable=False),
    Column("claim_token", BigInteger, nullable=True),
    Column("last_token", BigInteger, nullable=True),
    Column("worker_id", UUID(as_uuid=True), nullable=True),
    Column("finished_by_token", BigInteger, nullable=True),
    Column("coalesce_key", Text, nullable=True),
    Column("exclusive_key", Text, nullable=True),
    Column("key_number", BigInteger, nullable=True),
    Column("slot_key", Text, nullable=True),
    Column("in_doubt_token", BigInteger, nullable=True),
    Column("parent_job_id", BigInteger, nullable=True),
    Column("child_key", Text, nullable=True),
    Column("superseded_by", BigInteger, nullable=True),
    Column("changed_version", BigInteger, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False),
    Column("started_at", TIMESTAMP(timezone=True), nullable=True),
    Column("finished_at", TIMESTAMP(timezone=True), nullable=True),
    Column("finished_by_worker_id", UUID(as_uuid=True), nullable=True),
    Column("runs_alone", Boolean, server_default=text("false"), nullable=False),
    PrimaryKeyConstraint("job_id", name="jobs_pkey"),
    CheckConstraint(
        "state IN ('NOT_STARTED', 'QUEUED', 'RUNNING', 'FINISHED')", name="state_is_known"
    ),
    CheckConstraint(
        "result IN ('SUCCESS', 'WARNING', 'ERROR', 'CANCELLED', 'SUPERSEDED')",
        name="result_is_known",
    ),
    CheckConstraint("(state = 'RUNNING') = (claim_token IS NOT NULL)", name="claim_iff_running"),
    CheckConstraint("(state = 'RUNNING') = (worker_id IS NOT NULL)", name="worker_iff_running"),
    CheckConstraint("(state = 'FINISHED') = (result IS NOT NULL)", name="result_iff_finished"),
    CheckConstraint(
        "(state = 'FINISHED') = (finished_at IS NOT NULL)", name="finished_at_iff_finished"
    ),
    CheckConstraint(
        "result IS DISTINCT FROM 'ERROR' OR error_cause <> ''", name="an_error_has_a_cause"
    ),
    CheckConstraint(
        "(result IS NOT DISTINCT FROM 'SUPERSEDED') = (superseded_by IS NOT NULL)",
        name="superseded_says_by_which",
    ),
    CheckConstraint("attempts BETWEEN 0 AND attempts_max", name="attempts_are_bounded"),
    CheckConstraint(
        "(exclusive_key IS NULL) = (key_number IS NULL)", name="a_key_comes_with_its_number"
    ),
    CheckConstraint(
        "coalesce_key IS NULL OR payload IS NULL", name="a_coalescing_job_has_no_payload"
    ),
    Index("claimable_jobs_of_a_tenant", *IN_TURN, postgresql_where=text("state = 'QUEUED'")),
    Index(
        "claimable_jobs_to_run_alone",
        *IN_TURN,
        postgresql_where=text("state = 'QUEUED' AND runs_alone"),
    ),
    Index(
        "one_waiting_job_per_coalesce_key",
        "coalesce_key",
        unique=True,
        postgresql_where=text("state IN ('NOT_STARTED', 'QUEUED') AND coalesce_key IS NOT NULL"),
    ),
    Index(
        "one_claimable_or_running_job_per_exclusive_key",
        "exclusive_key",
        unique=True,
        postgresql_where=text("state IN ('QUEUED', 'RUNNING') AND exclusive_key IS NOT NULL"),
    ),
    Index(
        "waiting_jobs_of_a_key_in_order",
        "exclusive_key",
        "key_number",
        postgresql_where=text("state = 'NOT_STARTED' AND exclusive_key IS NOT NULL"),
    ),
    Index(
        "jobs_that_wait_for_their_time",
        "run_after",
        postgresql_where=text("state = 'NOT_STARTED' AND run_after IS NOT NULL"),
    ),
    Index(
        "waiting_jobs_of_a_tenant",
        "tenant",
        postgresql_where=text("(state = 'NOT_STARTED') IS TRUE"),
    ),
    # Statements that read by it say `(state = 'FINISHED') IS FALSE`, or TRUE.
    Index("jobs_of_a_pipeline", "pipeline_id", text("(state = 'FINISHED')"), "changed_version"),
    Index(
        "jobs_of_a_slot_by_claim",
        "slot_key",
        "last_token",
        postgresql_where=text("slot_key IS NOT NULL"),
    ),
    Index(
        "failed_uploads_of_a_module",
        "tenant",
        "year",
        "module",
        "pipeline_id",
        postgresql_where=text(f"result = 'ERROR' AND {UPLOADS}"),
    ),
    Index(
        "good_uploads_of_a_source",
        "tenant",
        "year",
        "module",
        "job_type",
        text("coalesce(data_entry_type, 0)"),
        text("coalesce(scheduler.comparison_key(btrim(unit)), '')"),
        text("scheduler.upload_source(payload)"),
        "pipeline_id",
        postgresql_where=text(f"result IN ('SUCCESS', 'WARNING') AND {UPLOADS}"),
    ),
    Index(
        "what_was_brought",
        "tenant",
        "job_type",
        text("coalesce(module, 0)"),
        text("coalesce(scheduler.comparison_key(btrim(unit)), '')"),
        "pipeline_id",
        text("coalesce(year, 0)"),
        postgresql_where=text(f"(result IS NULL OR result IN ('SUCCESS', 'WARNING')) AND {BRINGS}"),
    ),
    Index(
        "jobs_that_name_blobs",
        text("scheduler.named_blobs(payload, stats)"),
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=text(
            "(payload IS NOT NULL OR stats IS NOT NULL)"
            " AND scheduler.named_blobs(payload, stats) <> '[]'"
        ),
    ),
)

claims = Table(
    "claims",
    METADATA,
    Column("claim_token", BigInteger, autoincrement=False, nullable=False),
    Column("job_id", BigInteger, nullable=False),
    Column("worker_id", UUID(as_uuid=True), nullable=False),
    Column("principal", Text, nullable=False),
    Column("lease_until", TIMESTAMP(timezone=True), nullable=False),
    Column("draining", Boolean, server_default=text("false"), nullable=False),
    Column("progress_done", BigInteger, nullable=True),
    Column("progress_total", BigInteger, nullable=True),
    Column("progress_phase", Text, nullable=True),
    Column("progress_message", Text, nullable=True),
    Column("progress_at", TIMESTAMP(timezone=True), nullable=True),
    Column("is_alone", Boolean, server_default=text("false"), nullable=False),
    Column("had_company", Boolean, server_default=text("false"), nullable=False),
    PrimaryKeyConstraint("claim_token", name="claims_pkey"),
    Index("claims_that_run_alone", "worker_id", postgresql_where=text("is_alone")),
)

job_links = Table(
    "job_links",
    METADATA,
    Column("pipeline_id", BigInteger, nullable=False),
    Column("job_id", BigInteger, nullable=False),
    Column("joined_version", BigInteger, nullable=False),
    Column("changed_version", BigInteger, nullable=False),
    Column("left_version", BigInteger, nullable=True),
    PrimaryKeyConstraint("pipeline_id", "job_id", name="job_links_pkey"),
    ForeignKeyConstraint(
        ["pipeline_id"], ["scheduler.pipelines.pipeline_id"], name="a_link_has_a_pipeline"
    ),
    ForeignKeyConstraint(["job_id"], ["scheduler.jobs.job_id"], name="a_link_has_a_job"),
    Index("pipelines_that_a_job_feeds", "job_id"),
)

staged_children = Table(
    "staged_children",
    METADATA,
    Column("parent_job_id", BigInteger, nullable=False),
    Column("claim_token", BigInteger, nullable=False),
    Column("child_key", Text, nullable=False),
    Column("job_type", Text, nullable=False),
    Column("module", SmallInteger, nullable=True),
    Column("data_entry_type", SmallInteger, nullable=True),
    Column("year", SmallInteger, nullable=True),
    Column("unit", Text, nullable=True),
    Column("payload", JSONB, nullable=True),
    PrimaryKeyConstraint("parent_job_id", "claim_token", "child_key", name="staged_children_pkey"),
)

held_children = Table(
    "held_children",
    METADATA,
    Column("pipeline_id", BigInteger, nullable=False),
    Column("job_type", Text, nullable=False),
    Column("module", SmallInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("parent_job_id", BigInteger, nullable=False),
    Column("child_key", Text, nullable=False),
    Column("priority", SmallInteger, server_default=text("5"), nullable=False),
    PrimaryKeyConstraint("pipeline_id", "job_type", "module", "year", name="held_children_pkey"),
    ForeignKeyConstraint(
        ["pipeline_id"], ["scheduler.pipelines.pipeline_id"], name="a_held_child_has_a_pipeline"
    ),
)

exclusive_keys = Table(
    "exclusive_keys",
    METADATA,
    Column("exclusive_key", Text, nullable=False),
    Column("next_number", BigInteger, nullable=False),
    Column("first_job_id", BigInteger, nullable=True),
    Column("drain_token", BigInteger, nullable=True),
    PrimaryKeyConstraint("exclusive_key", name="exclusive_keys_pkey"),
)

job_events = Table(
    "job_events",
    METADATA,
    Column("event_id", BigInteger, Identity(always=True), nullable=False),
    Column("tenant", Text, nullable=False),
    Column("pipeline_id", BigInteger, nullable=False),
    Column("job_id", BigInteger, nullable=True),
    Column("claim_token", BigInteger, nullable=True),
    Column("event", Text, nullable=False),
    Column("detail", Text, server_default=text("''"), nullable=False),
    Column("at", TIMESTAMP(timezone=True), nullable=False),
    Column("worker_id", UUID(as_uuid=True), nullable=True),
    PrimaryKeyConstraint("event_id", name="job_events_pkey"),
    Index("events_of_a_pipeline", "pipeline_id", "event_id"),
    Index("events_of_a_job", "job_id", "event_id", postgresql_where=text("job_id IS NOT NULL")),
)
