"""Where mechanics, ledger and accounting meet: one file per step, and which step follows which."""
