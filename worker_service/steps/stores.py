"""What steps stand on: the ledger and the blobs."""

from dataclasses import dataclass

from worker_service.blobs.store import BlobStore
from worker_service.ledger.pool import Ledger


@dataclass(frozen=True, slots=True)
class Stores:
    """Both open for as long as the worker serves."""

    ledger: Ledger
    blobs: BlobStore
