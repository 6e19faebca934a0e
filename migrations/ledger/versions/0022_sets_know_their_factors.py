"""Large sets of emissions know which of their rows use which factor."""

from carbonline.migrations.patiently import run_patiently

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

FLAG = """ALTER TABLE carbon.emission_sets
    ADD COLUMN IF NOT EXISTS lists_factor_uses boolean NOT NULL DEFAULT false"""
NO_FLAG = "ALTER TABLE carbon.emission_sets DROP COLUMN IF EXISTS lists_factor_uses"
USES = """CREATE TABLE IF NOT EXISTS carbon.factor_uses (
    tenant text NOT NULL,
    emission_set bigint NOT NULL,
    entry_set bigint NOT NULL,
    chunk integer NOT NULL,
    first_factor bigint NOT NULL,
    last_factor bigint NOT NULL,
    factor_ids bigint[] NOT NULL,
    row_numbers integer[],
    CONSTRAINT factor_uses_pkey PRIMARY KEY (tenant, emission_set, entry_set, chunk),
    CONSTRAINT uses_of_a_set FOREIGN KEY (tenant, emission_set, entry_set)
        REFERENCES carbon.emission_sets (tenant, emission_set, entry_set) ON DELETE CASCADE
)"""
NO_USES = "DROP TABLE IF EXISTS carbon.factor_uses"


def upgrade() -> None:
    """Of sets that are there nothing is listed: their rows are searched as before."""
    run_patiently(FLAG, USES)


def downgrade() -> None:
    """As before."""
    run_patiently(NO_USES, NO_FLAG)
