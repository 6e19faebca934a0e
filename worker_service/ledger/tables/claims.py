"""What claims leave behind: fences, the tokens of inputs, and answers."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from worker_service.ledger.tables.schema import METADATA

write_fences = Table(
    "write_fences",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("newest_token", BigInteger, nullable=False, server_default=text("0")),
    Column("closed_token", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("tenant", "scope", name="write_fences_pkey"),
)

input_versions = Table(
    "input_versions",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("changed_token", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "input", name="input_versions_pkey"),
)

job_answers = Table(
    "job_answers",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("job_id", BigInteger, nullable=False),
    Column("claim_token", BigInteger, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("made_at", TIMESTAMP(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant", "job_id", name="job_answers_pkey"),
    Index("job_answers_by_age", "made_at"),
)
