"""Repeated requests, workers, and what sweeps and operators leave behind."""

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    UUID,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from scheduler_service.store.core.tables.schema import METADATA

submit_requests = Table(
    "submit_requests",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("request_id", UUID(as_uuid=True), nullable=False),
    Column("body_digest", LargeBinary, nullable=False),
    Column("pipeline_id", BigInteger, nullable=False),
    Column("job_id", BigInteger, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False),
    Column("disposition", Text, nullable=True),
    Column("retried", JSONB, nullable=True),
    PrimaryKeyConstraint("tenant", "request_id", name="submit_requests_pkey"),
    Index("requests_of_a_pipeline", "pipeline_id"),
)

claim_requests = Table(
    "claim_requests",
    METADATA,
    Column("worker_id", UUID(as_uuid=True), nullable=False),
    Column("request_id", UUID(as_uuid=True), nullable=False),
    Column("job_ids", ARRAY(BigInteger), nullable=False),
    Column("claim_tokens", ARRAY(BigInteger), nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False),
    PrimaryKeyConstraint("worker_id", "request_id", name="claim_requests_pkey"),
    Index("claim_requests_by_age", "created_at"),
)

workers = Table(
    "workers",
    METADATA,
    Column("worker_id", UUID(as_uuid=True), nullable=False),
    Column("principal", Text, nullable=False),
    Column("build_id", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("job_types", ARRAY(Text), nullable=False),
    Column("draining", Boolean, server_default=text("false"), nullable=False),
    Column("started_at", TIMESTAMP(timezone=True), nullable=False),
    Column("last_seen_at", TIMESTAMP(timezone=True), nullable=False),
    Column("not_ready", Text, server_default=text("''"), nullable=False),
    Column("tenants", ARRAY(Text), nullable=True),
    Column("drain_asked_at", TIMESTAMP(timezone=True), nullable=True),
    Column("drain_asked_by", Text, nullable=True),
    Column("drain_reason", Text, nullable=True),
    PrimaryKeyConstraint("worker_id", name="workers_pkey"),
)

sweep_runs = Table(
    "sweep_runs",
    METADATA,
    Column("sweep", Text, nullable=False),
    Column("last_run_at", TIMESTAMP(timezone=True), nullable=False),
    PrimaryKeyConstraint("sweep", name="sweep_runs_pkey"),
)

pauses = Table(
    "pauses",
    METADATA,
    Column("pause_id", BigInteger, Identity(always=True), nullable=False),
    Column("tenant", Text, nullable=False),
    Column("job_type", Text, nullable=False),
    Column("paused_at", TIMESTAMP(timezone=True), nullable=False),
    Column("paused_by", Text, nullable=False),
    Column("reason", Text, server_default=text("''"), nullable=False),
    Column("resumed_at", TIMESTAMP(timezone=True), nullable=True),
    Column("resumed_by", Text, nullable=True),
    PrimaryKeyConstraint("pause_id", name="pauses_pkey"),
    CheckConstraint(
        "(resumed_at IS NULL) = (resumed_by IS NULL)", name="a_resumed_pause_says_by_whom"
    ),
    Index(
        "one_pause_of_a_type_at_a_time",
        "job_type",
        "tenant",
        unique=True,
        postgresql_where=text("resumed_at IS NULL"),
    ),
    Index("pauses_of_a_tenant", "tenant", "pause_id"),
)

late_queues = Table(
    "late_queues",
    METADATA,
    Column("job_type", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("late_by", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("job_type", "tenant", name="late_queues_pkey"),
)

set_asides = Table(
    "set_asides",
    METADATA,
    Column("step", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("job_id", BigInteger, nullable=True),
    Column("failures", Integer, nullable=False),
    Column("until", TIMESTAMP(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("step", "item", name="set_asides_pkey"),
)
