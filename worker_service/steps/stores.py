"""What steps read and write: the ledger and the blobs, and what they keep of it."""

from dataclasses import dataclass, field

from worker_service.blobs.any_store import AnyBlobStore
from worker_service.ledger.kept_digests import KeptDigests
from worker_service.ledger.kept_places import KeptPlaces
from worker_service.ledger.pool import Ledger


@dataclass(frozen=True, slots=True)
class Stores:
    """The ledger's database and the blob store, open while the worker runs.

    `places` are those that steps have read and nobody has changed since, and `digests` those of the
    rows of uploads that they have compared.
    """

    ledger: Ledger
    blobs: AnyBlobStore
    places: KeptPlaces = field(default_factory=KeptPlaces)
    digests: KeptDigests = field(default_factory=KeptDigests)
