"""What schema carbon must be: the migrated database is compared with these tables."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData(schema="carbon")

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

units = Table(
    "units",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("unit_key", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("changed_token", BigInteger, nullable=False),
    Column("file_name", Text, nullable=False, server_default=text("''")),
    Column("blob", Text, nullable=False, server_default=text("''")),
    Column("changed_at", TIMESTAMP(timezone=True), nullable=True),
    Column("stale", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("tenant", "unit_key", name="units_pkey"),
)

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
    Column("data", JSONB, nullable=False),
    Column("changed_token", BigInteger, nullable=True),
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

factors = Table(
    "factors",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("factor_id", BigInteger, Identity(always=True), nullable=False),
    Column("data_entry_type", SmallInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("emission_type", Text, nullable=False),
    Column("classification", JSONB, nullable=False),
    Column("kind", Text, nullable=True),
    Column("subkind", Text, nullable=True),
    Column("factor_values", JSONB, nullable=False),
    Column("version", Integer, nullable=False),
    Column("stale", Boolean, nullable=False, server_default=text("false")),
    Column("changed_token", BigInteger, nullable=False),
    Column("removed_at", TIMESTAMP(timezone=True), nullable=True),
    Column("stale_token", BigInteger, nullable=True),
    PrimaryKeyConstraint("tenant", "factor_id", name="factors_pkey"),
    UniqueConstraint(
        "tenant",
        "data_entry_type",
        "year",
        "emission_type",
        "classification",
        name="one_factor_per_classification",
    ),
)

factor_versions = Table(
    "factor_versions",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("factor_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=True),
    Column("subkind", Text, nullable=True),
    Column("factor_values", JSONB, nullable=False),
    Column("blob", Text, nullable=False),
    Column("claim_token", BigInteger, nullable=False),
    Column("made_at", TIMESTAMP(timezone=True), nullable=False),
    Column("file_name", Text, nullable=False, server_default=text("''")),
    Column("removes", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("tenant", "factor_id", "version", name="factor_versions_pkey"),
    ForeignKeyConstraint(
        ["tenant", "factor_id"],
        ["carbon.factors.tenant", "carbon.factors.factor_id"],
        name="a_version_belongs_to_a_factor",
    ),
    Index(
        "later_factor_versions",
        "tenant",
        "made_at",
        "factor_id",
        "version",
        postgresql_where=text("version > 1"),
    ),
)

locations = Table(
    "locations",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("transport_mode", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("country", Text, nullable=True),
    Column("name", Text, nullable=True),
    Column("latitude", Double, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("file_name", Text, nullable=False, server_default=text("''")),
    Column("blob", Text, nullable=False, server_default=text("''")),
    Column("changed_token", BigInteger, nullable=False, server_default=text("0")),
    Column("changed_at", TIMESTAMP(timezone=True), nullable=True),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("stale", Boolean, nullable=False, server_default=text("false")),
    Index("locations_of_a_mode", "tenant", "transport_mode", "code"),
)

reference_rows = Table(
    "reference_rows",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("year", SmallInteger, nullable=True),
    Column("data", JSONB, nullable=False),
    Column("file_name", Text, nullable=False, server_default=text("''")),
    Column("blob", Text, nullable=False, server_default=text("''")),
    Column("changed_token", BigInteger, nullable=False),
    Column("changed_at", TIMESTAMP(timezone=True), nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("stale", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("tenant", "kind", "key", name="reference_rows_pkey"),
)

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
