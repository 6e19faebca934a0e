"""The sets of entries that uploads bring, with their rows."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from worker_service.carbon.entry_layout import NUMBER_COLUMNS, TEXT_COLUMNS
from worker_service.ledger.tables.schema import METADATA

entry_sets = Table(
    "entry_sets",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("module", SmallInteger, nullable=False),
    Column("data_entry_type", SmallInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("unit", Text, nullable=True),
    Column("source", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("row_count", BigInteger, nullable=False, server_default=text("0")),
    Column("last_row_number", Integer, nullable=False, server_default=text("0")),
    Column("made_at", TIMESTAMP(timezone=True), nullable=False),
    Column("published_at", TIMESTAMP(timezone=True), nullable=True),
    Column("retired_at", TIMESTAMP(timezone=True), nullable=True),
    Column("retired_by", BigInteger, nullable=True),
    Column("collected_at", TIMESTAMP(timezone=True), nullable=True),
    Column("source_name", Text, nullable=False, server_default=text("'default'")),
    Column("file_name", Text, nullable=False, server_default=text("''")),
    Column("submitted_by", Text, nullable=False, server_default=text("''")),
    Column("pipeline_id", BigInteger, nullable=True),
    Column("content_digest", Text, nullable=True),
    Column("rows_rejected", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_warned", BigInteger, nullable=False, server_default=text("0")),
    Column("retired_by_pipeline", BigInteger, nullable=True),
    Column("mapping", JSONB, nullable=True),
    Column("reading", JSONB, nullable=True),
    Column("sheet", Text, nullable=False, server_default=text("''")),
    Column("text_keys", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("number_keys", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("tenant", "entry_set", name="entry_sets_pkey"),
    CheckConstraint("state IN ('LOADING', 'PUBLISHED', 'RETIRED')", name="state_is_known"),
    CheckConstraint(
        "(state = 'LOADING') = (published_at IS NULL)", name="published_iff_not_loading"
    ),
    CheckConstraint(
        "(state = 'RETIRED') = (retired_at IS NOT NULL)"
        " AND (retired_at IS NULL) = (retired_by IS NULL)",
        name="retired_says_by_whom",
    ),
    CheckConstraint(
        "(unit IS NULL) = (source <> 'csv_unit')", name="a_unit_names_a_source_of_units"
    ),
    Index(
        "published_entry_sets_of_a_type",
        "tenant",
        "data_entry_type",
        "year",
        postgresql_where=text("state = 'PUBLISHED'"),
    ),
    Index(
        "uncollected_entry_sets",
        "made_at",
        postgresql_where=text("state <> 'PUBLISHED' AND collected_at IS NULL"),
    ),
    Index(
        "collected_entry_sets",
        "tenant",
        "collected_at",
        "entry_set",
        postgresql_where=text("collected_at IS NOT NULL"),
    ),
    Index(
        "entry_sets_by_who_replaced_them",
        "tenant",
        "retired_by",
        postgresql_where=text("state = 'RETIRED'"),
    ),
    Index(
        "one_published_upload_per_type_year_unit_and_source",
        "tenant",
        "data_entry_type",
        "year",
        "unit",
        "source_name",
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=text("state = 'PUBLISHED'"),
    ),
)

entries = Table(
    "entries",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("extra", JSONB, nullable=True),
    Column("changed_token", BigInteger, nullable=True),
    *(Column(name, Text, nullable=True) for name in TEXT_COLUMNS),
    *(Column(name, Double, nullable=True) for name in NUMBER_COLUMNS),
    PrimaryKeyConstraint("tenant", "entry_set", "row_number", name="entries_pkey"),
    Index(
        "changed_entries_of_a_set",
        "tenant",
        "entry_set",
        "changed_token",
        postgresql_where=text("changed_token IS NOT NULL"),
    ),
)

row_digests = Table(
    "row_digests",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("first_row", Integer, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("digests", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant", "entry_set", "first_row", name="row_digests_pkey"),
)
