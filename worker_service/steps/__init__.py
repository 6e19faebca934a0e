"""Where mechanics, ledger and accounting meet: one file per step, and who follows whom."""
