"""How files of other programs are read, under names."""

from sqlalchemy import TIMESTAMP, Column, PrimaryKeyConstraint, SmallInteger, Table, Text
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
    PrimaryKeyConstraint("tenant", "data_entry_type", "name_key", name="mappings_pkey"),
)
