"""What entries come to: sets of emissions with their rows and sums, and totals."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from worker_service.ledger.tables.schema import METADATA

emission_sets = Table(
    "emission_sets",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("emission_set", BigInteger, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("module", SmallInteger, nullable=False),
    Column("data_entry_type", SmallInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("formula_version", Text, nullable=False),
    Column("entries_token", BigInteger, nullable=False),
    Column("factors_token", BigInteger, nullable=False),
    Column("references_token", BigInteger, nullable=False),
    Column("last_row_number", Integer, nullable=False, server_default=text("0")),
    Column("made_at", TIMESTAMP(timezone=True), nullable=False),
    Column("published_at", TIMESTAMP(timezone=True), nullable=True),
    Column("retired_at", TIMESTAMP(timezone=True), nullable=True),
    Column("retired_by", BigInteger, nullable=True),
    Column("collected_at", TIMESTAMP(timezone=True), nullable=True),
    Column("total_kg", Double, nullable=True),
    Column("entries_without_kg", BigInteger, nullable=True),
    Column("is_summed", Boolean, nullable=False, server_default=text("false")),
    Column("doubts", JSONB, nullable=True),
    Column("factors_digest", Text, nullable=True),
    Column("lists_factor_uses", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("tenant", "emission_set", "entry_set", name="emission_sets_pkey"),
    CheckConstraint("state IN ('LOADING', 'PUBLISHED', 'RETIRED')", name="state_is_known"),
    CheckConstraint(
        "(state = 'LOADING') = (published_at IS NULL)", name="published_iff_not_loading"
    ),
    CheckConstraint(
        "(state = 'RETIRED') = (retired_at IS NOT NULL)"
        " AND (retired_at IS NULL) = (retired_by IS NULL)",
        name="retired_says_by_whom",
    ),
    Index(
        "one_published_emission_set_per_entry_set",
        "tenant",
        "entry_set",
        unique=True,
        postgresql_where=text("state = 'PUBLISHED'"),
    ),
    Index(
        "published_emission_sets_of_a_type",
        "tenant",
        "data_entry_type",
        "year",
        postgresql_where=text("state = 'PUBLISHED'"),
    ),
    Index(
        "uncollected_emission_sets",
        "made_at",
        postgresql_where=text("state <> 'PUBLISHED' AND collected_at IS NULL"),
    ),
    Index(
        "collected_emission_sets",
        "tenant",
        "collected_at",
        "emission_set",
        "entry_set",
        postgresql_where=text("collected_at IS NOT NULL"),
    ),
    Index("emission_sets_of_an_entry_set", "tenant", "entry_set", "emission_set"),
    Index(
        "collected_emission_sets_with_sums",
        "tenant",
        "emission_set",
        "entry_set",
        postgresql_where=text("is_summed AND collected_at IS NOT NULL"),
    ),
)

emissions = Table(
    "emissions",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("emission_set", BigInteger, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("scope", SmallInteger, nullable=False),
    Column("factor_version", Integer, nullable=True),
    Column("overridden", Boolean, nullable=False),
    Column("kg", Double, nullable=False),
    Column("additional_value", Double, nullable=True),
    Column("factor_id", BigInteger, nullable=True),
    Column("unit", Text, nullable=False),
    Column("emission_type", Text, nullable=False),
    PrimaryKeyConstraint(
        "tenant", "emission_set", "entry_set", "row_number", "part", name="emissions_pkey"
    ),
)

emission_sums = Table(
    "emission_sums",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("emission_set", BigInteger, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("unit", Text, nullable=False),
    Column("emission_type", Text, nullable=False),
    Column("kg", Numeric, nullable=False),
    Column("additional_value", Numeric, nullable=True),
    PrimaryKeyConstraint(
        "tenant",
        "emission_set",
        "entry_set",
        "unit",
        "emission_type",
        name="emission_sums_pkey",
    ),
)

factor_uses = Table(
    "factor_uses",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("emission_set", BigInteger, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("first_factor", BigInteger, nullable=False),
    Column("last_factor", BigInteger, nullable=False),
    Column("factor_ids", ARRAY(BigInteger), nullable=False),
    Column("row_numbers", ARRAY(Integer), nullable=True),
    PrimaryKeyConstraint("tenant", "emission_set", "entry_set", "chunk", name="factor_uses_pkey"),
    ForeignKeyConstraint(
        ["tenant", "emission_set", "entry_set"],
        [
            "emission_sets.tenant",
            "emission_sets.emission_set",
            "emission_sets.entry_set",
        ],
        name="uses_of_a_set",
        ondelete="CASCADE",
    ),
)

outcome_counts = Table(
    "outcome_counts",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("emission_set", BigInteger, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("unit", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("entry_count", BigInteger, nullable=False),
    PrimaryKeyConstraint(
        "tenant", "emission_set", "entry_set", "unit", "outcome", name="outcome_counts_pkey"
    ),
)

uncomputed_entries = Table(
    "uncomputed_entries",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("emission_set", BigInteger, nullable=False),
    Column("entry_set", BigInteger, nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint(
        "tenant", "emission_set", "entry_set", "row_number", name="uncomputed_entries_pkey"
    ),
)

totals = Table(
    "totals",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("module", SmallInteger, nullable=False),
    Column("unit", Text, nullable=False),
    Column("scope1_kg", Numeric, nullable=False),
    Column("scope2_kg", Numeric, nullable=False),
    Column("scope3_kg", Numeric, nullable=False),
    Column("total_kg", Numeric, nullable=False),
    Column("by_emission_type", JSONB, nullable=False),
    Column("by_additional_value", JSONB, nullable=False),
    Column("entry_count", BigInteger, nullable=False),
    Column("outcome_counts", JSONB, nullable=False),
    Column("input_tokens", JSONB, nullable=False),
    Column("claim_token", BigInteger, nullable=False),
    Column("computed_at", TIMESTAMP(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant", "year", "module", "unit", name="totals_pkey"),
    CheckConstraint(
        "total_kg = scope1_kg + scope2_kg + scope3_kg", name="the_total_is_the_sum_of_scopes"
    ),
)
