"""What steps read and write: the ledger and the blobs, and what they keep of it."""

from dataclasses import dataclass, field

from worker_service.blobs.store import BlobStore
from worker_service.ledger.kept_places import KeptPlaces
from worker_service.ledger.pool import Ledger


@dataclass(frozen=True, slots=True)
class Stores:
    """The ledger's database and the blob store, open while the worker runs.

    `places` are those that steps have read and nobody has changed since.
    """

    ledger: Ledger
    blobs: BlobStore
    places: KeptPlaces = field(default_factory=KeptPlaces)
