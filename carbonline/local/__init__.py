"""The whole product on one machine: PostgreSQL, scheduler, ledger and workers as children."""
