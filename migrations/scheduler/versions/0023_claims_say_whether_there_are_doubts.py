"""A claim says whether any claim of the tenant is in doubt, without a statement of its own."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# VOLATILE: its statement takes its snapshot when it is called, behind the locks of the jobs that
# are claimed. That of the statement around it is older.
HAS_DOUBTS = """
CREATE OR REPLACE FUNCTION scheduler.has_doubts(of_tenant text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM scheduler.ledger_scopes_in_doubt AS d WHERE d.tenant = of_tenant
    );
END
$$
"""


def upgrade() -> None:
    """Releases before do not call it."""
    op.execute(HAS_DOUBTS)


def downgrade() -> None:
    """As before."""
    op.execute("DROP FUNCTION IF EXISTS scheduler.has_doubts(text)")
