"""What the workers account for: units, entries, factors, emissions, totals, and the fences."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Tests move time by replacing this function in their own database. Not the statement's start:
# a deadline is looked at after a wait for a lock.
CLOCK = """
CREATE FUNCTION carbon.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
AS 'SELECT clock_timestamp()'
"""

WRITE_FENCES = """
CREATE TABLE carbon.write_fences (
    tenant text NOT NULL,
    scope text NOT NULL,
    newest_token bigint NOT NULL DEFAULT 0,
    closed_token bigint NOT NULL DEFAULT 0,
    CONSTRAINT write_fences_pkey PRIMARY KEY (tenant, scope)
) WITH (fillfactor = 70)
"""

INPUT_VERSIONS = """
CREATE TABLE carbon.input_versions (
    tenant text NOT NULL,
    input text NOT NULL,
    changed_token bigint NOT NULL,
    CONSTRAINT input_versions_pkey PRIMARY KEY (tenant, input)
)
"""

UNITS = """
CREATE TABLE carbon.units (
    tenant text NOT NULL,
    unit_key text NOT NULL,
    unit text NOT NULL,
    name text NOT NULL,
    changed_token bigint NOT NULL,
    CONSTRAINT units_pkey PRIMARY KEY (tenant, unit_key)
)
"""

ENTRY_SETS = """
CREATE TABLE carbon.entry_sets (
    tenant text NOT NULL,
    entry_set bigint NOT NULL,
    module smallint NOT NULL,
    data_entry_type smallint NOT NULL,
    year smallint NOT NULL,
    unit text,
    source text NOT NULL,
    blob text NOT NULL,
    state text NOT NULL,
    row_count bigint NOT NULL DEFAULT 0,
    last_row_number integer NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL,
    published_at timestamptz,
    retired_at timestamptz,
    retired_by bigint,
    collected_at timestamptz,
    CONSTRAINT entry_sets_pkey PRIMARY KEY (tenant, entry_set),
    CONSTRAINT state_is_known CHECK (state IN ('LOADING', 'PUBLISHED', 'RETIRED')),
    CONSTRAINT published_iff_not_loading CHECK ((state = 'LOADING') = (published_at IS NULL)),
    CONSTRAINT retired_says_by_whom CHECK (
        (state = 'RETIRED') = (retired_at IS NOT NULL)
        AND (retired_at IS NULL) = (retired_by IS NULL)
    ),
    CONSTRAINT a_unit_names_a_source_of_units CHECK ((unit IS NULL) = (source <> 'csv_unit'))
)
"""

ENTRIES = """
CREATE TABLE carbon.entries (
    tenant text NOT NULL,
    entry_set bigint NOT NULL,
    row_number integer NOT NULL,
    unit text NOT NULL,
    data jsonb NOT NULL,
    changed_token bigint,
    CONSTRAINT entries_pkey PRIMARY KEY (tenant, entry_set, row_number)
)
"""

FACTORS = """
CREATE TABLE carbon.factors (
    tenant text NOT NULL,
    factor_id bigint GENERATED ALWAYS AS IDENTITY,
    data_entry_type smallint NOT NULL,
    year smallint NOT NULL,
    emission_type text NOT NULL,
    classification jsonb NOT NULL,
    kind text,
    subkind text,
    factor_values jsonb NOT NULL,
    version integer NOT NULL,
    stale boolean NOT NULL DEFAULT false,
    changed_token bigint NOT NULL,
    CONSTRAINT factors_pkey PRIMARY KEY (tenant, factor_id),
    CONSTRAINT one_factor_per_classification
        UNIQUE (tenant, data_entry_type, year, emission_type, classification)
)
"""

FACTOR_VERSIONS = """
CREATE TABLE carbon.factor_versions (
    tenant text NOT NULL,
    factor_id bigint NOT NULL,
    version integer NOT NULL,
    kind text,
    subkind text,
    factor_values jsonb NOT NULL,
    blob text NOT NULL,
    claim_token bigint NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT factor_versions_pkey PRIMARY KEY (tenant, factor_id, version),
    CONSTRAINT a_version_belongs_to_a_factor
        FOREIGN KEY (tenant, factor_id) REFERENCES carbon.factors (tenant, factor_id)
)
"""

LOCATIONS = """
CREATE TABLE carbon.locations (
    tenant text NOT NULL,
    transport_mode text NOT NULL,
    code text NOT NULL,
    country text,
    name text,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL
)
"""

EMISSION_SETS = """
CREATE TABLE carbon.emission_sets (
    tenant text NOT NULL,
    emission_set bigint NOT NULL,
    entry_set bigint NOT NULL,
    module smallint NOT NULL,
    data_entry_type smallint NOT NULL,
    year smallint NOT NULL,
    state text NOT NULL,
    formula_version text NOT NULL,
    entries_token bigint NOT NULL,
    factors_token bigint NOT NULL,
    references_token bigint NOT NULL,
    last_row_number integer NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL,
    published_at timestamptz,
    retired_at timestamptz,
    retired_by bigint,
    collected_at timestamptz,
    CONSTRAINT emission_sets_pkey PRIMARY KEY (tenant, emission_set, entry_set),
    CONSTRAINT state_is_known CHECK (state IN ('LOADING', 'PUBLISHED', 'RETIRED')),
    CONSTRAINT published_iff_not_loading CHECK ((state = 'LOADING') = (published_at IS NULL)),
    CONSTRAINT retired_says_by_whom CHECK (
        (state = 'RETIRED') = (retired_at IS NOT NULL)
        AND (retired_at IS NULL) = (retired_by IS NULL)
    )
)
"""

EMISSIONS = """
CREATE TABLE carbon.emissions (
    tenant text NOT NULL,
    emission_set bigint NOT NULL,
    entry_set bigint NOT NULL,
    row_number integer NOT NULL,
    part smallint NOT NULL,
    scope smallint NOT NULL,
    factor_version integer,
    overridden boolean NOT NULL,
    kg double precision NOT NULL,
    additional_value double precision,
    factor_id bigint,
    unit text NOT NULL,
    emission_type text NOT NULL,
    CONSTRAINT emissions_pkey PRIMARY KEY (tenant, emission_set, entry_set, row_number, part)
)
"""

OUTCOME_COUNTS = """
CREATE TABLE carbon.outcome_counts (
    tenant text NOT NULL,
    emission_set bigint NOT NULL,
    entry_set bigint NOT NULL,
    unit text NOT NULL,
    outcome text NOT NULL,
    entry_count bigint NOT NULL,
    CONSTRAINT outcome_counts_pkey PRIMARY KEY (tenant, emission_set, entry_set, unit, outcome)
)
"""

UNCOMPUTED_ENTRIES = """
CREATE TABLE carbon.uncomputed_entries (
    tenant text NOT NULL,
    emission_set bigint NOT NULL,
    entry_set bigint NOT NULL,
    row_number integer NOT NULL,
    unit text NOT NULL,
    outcome text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT uncomputed_entries_pkey PRIMARY KEY (tenant, emission_set, entry_set, row_number)
)
"""

TOTALS = """
CREATE TABLE carbon.totals (
    tenant text NOT NULL,
    year smallint NOT NULL,
    module smallint NOT NULL,
    unit text NOT NULL,
    scope1_kg numeric NOT NULL,
    scope2_kg numeric NOT NULL,
    scope3_kg numeric NOT NULL,
    total_kg numeric NOT NULL,
    by_emission_type jsonb NOT NULL,
    by_additional_value jsonb NOT NULL,
    entry_count bigint NOT NULL,
    outcome_counts jsonb NOT NULL,
    input_tokens jsonb NOT NULL,
    claim_token bigint NOT NULL,
    computed_at timestamptz NOT NULL,
    CONSTRAINT totals_pkey PRIMARY KEY (tenant, year, module, unit),
    CONSTRAINT the_total_is_the_sum_of_scopes
        CHECK (total_kg = scope1_kg + scope2_kg + scope3_kg)
)
"""

TABLES = (
    WRITE_FENCES,
    INPUT_VERSIONS,
    UNITS,
    ENTRY_SETS,
    ENTRIES,
    FACTORS,
    FACTOR_VERSIONS,
    LOCATIONS,
    EMISSION_SETS,
    EMISSIONS,
    OUTCOME_COUNTS,
    UNCOMPUTED_ENTRIES,
    TOTALS,
)

INDEXES = (
    """CREATE INDEX published_entry_sets_of_a_type
        ON carbon.entry_sets (tenant, data_entry_type, year) WHERE state = 'PUBLISHED'""",
    """CREATE INDEX entry_sets_to_collect
        ON carbon.entry_sets (made_at) WHERE state <> 'PUBLISHED'""",
    """CREATE INDEX changed_entries_of_a_set
        ON carbon.entries (tenant, entry_set, changed_token) WHERE changed_token IS NOT NULL""",
    """CREATE INDEX locations_of_a_mode ON carbon.locations (tenant, transport_mode, code)""",
    """CREATE UNIQUE INDEX one_published_emission_set_per_entry_set
        ON carbon.emission_sets (tenant, entry_set) WHERE state = 'PUBLISHED'""",
    """CREATE INDEX published_emission_sets_of_a_type
        ON carbon.emission_sets (tenant, data_entry_type, year) WHERE state = 'PUBLISHED'""",
    """CREATE INDEX emission_sets_to_collect
        ON carbon.emission_sets (made_at) WHERE state <> 'PUBLISHED'""",
)


def upgrade() -> None:
    """Everything at once: nobody uses the schema yet."""
    op.execute(CLOCK)
    for table in TABLES:
        op.execute(table)
    for index in INDEXES:
        op.execute(index)


def downgrade() -> None:
    """Back to an empty schema."""
    for table in (
        "totals",
        "uncomputed_entries",
        "outcome_counts",
        "emissions",
        "emission_sets",
        "locations",
        "factor_versions",
        "factors",
        "entries",
        "entry_sets",
        "units",
        "input_versions",
        "write_fences",
    ):
        op.execute(f"DROP TABLE carbon.{table}")
    op.execute("DROP FUNCTION carbon.clock()")
