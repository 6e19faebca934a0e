"""LockPeriod, UnlockPeriod: years whose numbers must not change any more."""
