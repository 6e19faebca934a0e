"""The gateway: HTTP for people and their browsers, a client of the scheduler and the ledger."""
