"""Years, how fresh their data is, and what may have been written unseen."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    Column,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from scheduler_service.store.core.tables.schema import METADATA

years = Table(
    "years",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("provisioned_at", TIMESTAMP(timezone=True), nullable=False),
    Column("locked_at", TIMESTAMP(timezone=True), nullable=True),
    Column("locked_by", Text, nullable=True),
    Column("lock_reason", Text, nullable=True),
    PrimaryKeyConstraint("tenant", "year", name="years_pkey"),
    CheckConstraint("(locked_at IS NULL) = (locked_by IS NULL)", name="a_locked_year_says_by_whom"),
)

type_freshness = Table(
    "type_freshness",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("data_entry_type", SmallInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("changed_token", BigInteger, server_default=text("0"), nullable=False),
    Column("changed_at", TIMESTAMP(timezone=True), nullable=True),
    Column("recalc_claim", BigInteger, server_default=text("0"), nullable=False),
    Column("recalc_end", BigInteger, server_default=text("0"), nullable=False),
    PrimaryKeyConstraint("tenant", "data_entry_type", "year", name="type_freshness_pkey"),
)

module_freshness = Table(
    "module_freshness",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("module", SmallInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("agg_claim", BigInteger, nullable=False),
    Column("aggregated_at", TIMESTAMP(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant", "module", "year", name="module_freshness_pkey"),
)

ledger_scopes_in_doubt = Table(
    "ledger_scopes_in_doubt",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("ledger_scope", Text, nullable=False),
    Column("close_through", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "ledger_scope", name="ledger_scopes_in_doubt_pkey"),
)
