"""What running a job means: the workers and the read side of the ledger."""
