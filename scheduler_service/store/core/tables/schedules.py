"""What the scheduler submits by itself, and when."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
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

from scheduler_service.store.core.tables.schema import METADATA

schedules = Table(
    "schedules",
    METADATA,
    Column("schedule_id", BigInteger, Identity(always=True), nullable=False),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("cron", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("job_type", Text, nullable=False),
    Column("module", SmallInteger, nullable=True),
    Column("data_entry_type", SmallInteger, nullable=True),
    Column("year", SmallInteger, nullable=True),
    Column("unit", Text, nullable=True),
    Column("reference_kind", Text, nullable=True),
    Column("payload", JSONB, nullable=True),
    Column("priority", SmallInteger, nullable=False),
    Column("runs_late", Boolean, nullable=False),
    Column("jitter_seconds", Integer, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("next_tick", TIMESTAMP(timezone=True), nullable=False),
    Column("due_at", TIMESTAMP(timezone=True), nullable=False),
    Column("last_tick", TIMESTAMP(timezone=True), nullable=True),
    Column("last_outcome", Text, nullable=True),
    Column("last_message", Text, server_default=text("''"), nullable=False),
    Column("last_pipeline_id", BigInteger, nullable=True),
    Column("paused_at", TIMESTAMP(timezone=True), nullable=True),
    Column("paused_by", Text, nullable=True),
    Column("pause_reason", Text, nullable=True),
    PrimaryKeyConstraint("schedule_id", name="schedules_pkey"),
    CheckConstraint("due_at >= next_tick", name="a_tick_is_due_when_it_has_come"),
    CheckConstraint("next_tick > last_tick", name="a_tick_follows_the_last_one"),
    CheckConstraint(
        "(last_tick IS NULL) = (last_outcome IS NULL)", name="a_tick_that_has_come_has_an_outcome"
    ),
    CheckConstraint(
        "(paused_at IS NULL) = (paused_by IS NULL)", name="a_paused_schedule_says_by_whom"
    ),
    Index("one_schedule_of_a_name", "tenant", "name", unique=True),
    Index(
        "schedules_in_order_of_what_is_due",
        "due_at",
        "schedule_id",
        postgresql_where=text("paused_at IS NULL"),
    ),
)
