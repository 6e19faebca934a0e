"""The ledger process: totals, the catalogue and files over gRPC. It claims no job."""
