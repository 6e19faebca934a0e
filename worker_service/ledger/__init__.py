"""The ledger: fences, sets of rows, factors, places, totals. All SQL of schema `carbon` is here."""
