"""What steps read and write: the ledger and the blobs."""

from dataclasses import dataclass

from worker_service.blobs.store import BlobStore
from worker_service.ledger.pool import Ledger


@dataclass(frozen=True, slots=True)
class Stores:
    """The ledger's database and the blob store, open while the worker runs."""

    ledger: Ledger
    blobs: BlobStore
