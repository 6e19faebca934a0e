"""Units stand in a tree: each may be below another one."""

from carbonline.migrations.patiently import run_patiently

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

PARENT = "ALTER TABLE carbon.units ADD COLUMN IF NOT EXISTS parent_key text"
NO_PARENT = "ALTER TABLE carbon.units DROP COLUMN IF EXISTS parent_key"
INDEX = """CREATE INDEX CONCURRENTLY units_below_a_unit
    ON carbon.units (tenant, parent_key) WHERE parent_key IS NOT NULL"""
DROP_INDEX = "DROP INDEX CONCURRENTLY IF EXISTS carbon.units_below_a_unit"
IS_THERE = """ALTER TABLE carbon.units ADD CONSTRAINT a_parent_is_a_unit
    FOREIGN KEY (tenant, parent_key) REFERENCES carbon.units (tenant, unit_key) NOT VALID"""
VALID = "ALTER TABLE carbon.units VALIDATE CONSTRAINT a_parent_is_a_unit"
NOT_THERE = "ALTER TABLE carbon.units DROP CONSTRAINT IF EXISTS a_parent_is_a_unit"


def upgrade() -> None:
    """All units are at the top. What an attempt that was cut short has left is made anew."""
    run_patiently(PARENT, DROP_INDEX, INDEX, NOT_THERE, IS_THERE, VALID)


def downgrade() -> None:
    """As before."""
    run_patiently(NOT_THERE, DROP_INDEX, NO_PARENT)
