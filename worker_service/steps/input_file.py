"""The file that a job reads: named by its payload, opened from the blobs, refused in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from worker_service.blobs.reference import BlobReference, ReferenceWrong, read_reference
from worker_service.blobs.store import BlobDamaged, BlobMissing, BlobStore
from worker_service.carbon.catalogue import NotSupported
from worker_service.carbon.csv_source.byte_stream import ByteStream
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Failed

# Two stacks on one database: a worker of the one claims what was uploaded to the other.
_WHY_MISSING = (
    "upload it first, or this worker keeps its blobs elsewhere than the ledger process that took"
    " it in: CARBONLINE_BLOB_FOLDER must be one folder for all"
)


class Refusal(Exception):
    """The job cannot be done, and repeating it would not help; nothing was committed."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message

    def outcome(self, stats: dict[str, Any] | None = None) -> Failed:
        """As a step tells it."""
        return Failed(self.cause, self.message, stats or {})


@dataclass(frozen=True, slots=True)
class InputFile:
    """A blob that can be opened as often as it has to be read."""

    blobs: BlobStore
    reference: BlobReference

    def open(self) -> ByteStream:
        """A new pass. Blocks. Raises BlobMissing."""
        return self.blobs.open(self.reference)


def input_file(blobs: BlobStore, job: ClaimedJob) -> InputFile:
    """The file of the payload's `blob`. Raises Refusal where it names none."""
    named = job.payload.get("blob")
    try:
        return InputFile(blobs, read_reference(job.tenant, str(named)))
    except ReferenceWrong as wrong:
        raise Refusal("blob_reference_wrong", f"payload.blob: {wrong}") from wrong


@contextmanager
def refusals() -> Iterator[None]:
    """What is wrong with a file, a blob or a type as Refusal."""
    try:
        yield
    except RefusedFile as refused:
        raise Refusal(str(refused.cause), f"{_capital(str(refused))}.") from refused
    except BlobMissing as missing:
        raise Refusal("blob_not_found", f"{_capital(str(missing))}: {_WHY_MISSING}.") from missing
    except BlobDamaged as damaged:
        raise Refusal("blob_damaged", f"{_capital(str(damaged))}.") from damaged
    except NotSupported as unsupported:
        raise Refusal("not_supported", f"{_capital(str(unsupported))}.") from unsupported


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
