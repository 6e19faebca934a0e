"""Verifies the ledger: what breaks an invariant of its data is a finding. Nothing is changed."""
