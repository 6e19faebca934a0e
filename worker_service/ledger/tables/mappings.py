"""How files of other programs are read, under names."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from worker_service.ledger.tables.schema import METADATA

mappings = Table(
    "mappings",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("data_entry_type", SmallInteger, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mapping", JSONB, nullable=False),
    Column("saved_by", Text, nullable=False),
    Column("saved_at", TIMESTAMP(timezone=True), nullable=False),
    Column("file_kind", Text, nullable=False, server_default=text("'entries'")),
    PrimaryKeyConstraint(
        "tenant", "data_entry_type", "file_kind", "name_key", name="mappings_pkey"
    ),
)

# How the files of factors, units and reference data were read that these claims have loaded.
load_mappings = Table(
    "load_mappings",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("claim_token", BigInteger, nullable=False),
    Column("mapping", JSONB, nullable=False),
    PrimaryKeyConstraint("tenant", "claim_token", name="load_mappings_pkey"),
)
