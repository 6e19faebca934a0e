"""What both histories' env.py do: run on the connection that run.py hands over."""

from alembic import context


def run_migrations() -> None:
    """Run the scripts of this history; its version table lives in the schema that it owns."""
    config = context.config
    connection = config.attributes["connection"]
    context.configure(
        connection=connection,
        version_table_schema=config.attributes["schema"],
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
