"""The ledger process: serves reads of the ledger, the catalogue and files. It claims no job."""
