"""What schema carbon must be: the migrated database is compared with these tables."""

from worker_service.ledger.tables import blobs, claims, emissions, entries, mappings, references
from worker_service.ledger.tables.schema import METADATA

__all__ = ["METADATA", "blobs", "claims", "emissions", "entries", "mappings", "references"]
