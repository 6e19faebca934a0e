"""Runs the whole product on one machine: PostgreSQL, scheduler, ledger process and workers."""
