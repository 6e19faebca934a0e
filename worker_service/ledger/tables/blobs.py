"""For which scopes a file was sent, or made by a job, beside the one that came first."""

from sqlalchemy import (
    TIMESTAMP,
    Column,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from worker_service.ledger.tables.schema import METADATA

# Rights depend on module and unit. The rest is what StatBlob says, of who came first.
blob_scopes = Table(
    "blob_scopes",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("module", SmallInteger, nullable=False),
    Column("unit", Text, nullable=False),
    Column("data_entry_type", SmallInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("noted_at", TIMESTAMP(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant", "blob", "module", "unit", name="blob_scopes_pkey"),
)
