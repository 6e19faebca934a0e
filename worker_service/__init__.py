"""What running a job means: the workers and the ledger process."""
