"""The file that a job reads: named by the payload, opened from the blob store."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from carbonline.mapping_flags import how_to_read_flags
from worker_service.blobs.any_store import AnyBlobStore
from worker_service.blobs.reference import BlobReference, ReferenceWrong, read_reference
from worker_service.blobs.store import BlobDamaged, BlobMissing, BlobTooLarge
from worker_service.carbon.catalogue import NotSupported
from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.kinds_of_files import kind_of_file
from worker_service.carbon.workbooks.names import shown_name
from worker_service.carbon.workbooks.text_of import OfSheet
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Failed

# With two stacks on one database, a worker of one claims what was uploaded to the other.
_WHY_MISSING = (
    "upload it first. If you have, this worker and the ledger process use different folders: set"
    " CARBONLINE_BLOB_FOLDER to the same folder for all"
)


# The stats with a mapping, and with the sheet of a workbook, with which a file might be read, and
# with what is not sure.
PROPOSED, PROPOSED_SHEET, LEFT_OPEN = "proposed_mapping", "proposed_sheet", "left_open"
# A message has so many; the stats have all.
_LEFT_OPEN_TOLD = 2


def proposal_stats(proposal: Mapping[str, Any]) -> dict[str, Any]:
    """What a job says of a proposal, which is as in RefusedFile. Empty for none."""
    named = {
        PROPOSED: proposal.get("mapping"),
        PROPOSED_SHEET: proposal.get("sheet"),
        LEFT_OPEN: proposal.get("left_open"),
    }
    return {name: said for name, said in named.items() if said}


class Refusal(Exception):
    """The job cannot be done, and a retry would not help. Nothing was committed.

    `cause` is a short stable word for programs, `message` a sentence for people; `advice` says what
    to do if the job is meant as it is, and comes last. `stats` are those of the job.
    """

    def __init__(
        self,
        cause: str,
        message: str,
        advice: str = "",
        stats: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.advice = advice
        self.stats = stats or {}

    def outcome(self, stats: Mapping[str, Any] | None = None, said: Sequence[str] = ()) -> Failed:
        """The outcome that a step returns. `said` are sentences that explain the message."""
        sentences = [self.message, *said, self.advice]
        all_stats = {**self.stats, **(stats or {})}
        return Failed(self.cause, " ".join(filter(None, sentences)), all_stats)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A blob that can be opened several times. `sheet` is the one to read of a workbook."""

    blobs: AnyBlobStore
    reference: BlobReference
    sheet: str = ""

    @property
    def open(self) -> Open:
        """Opens the file for another pass. Blocks. Raises BlobMissing."""
        opened = partial(self.blobs.open, self.reference)
        return OfSheet(opened, self.sheet) if self.sheet else opened


def input_file(blobs: AnyBlobStore, job: ClaimedJob) -> InputFile:
    """The file that the payload's `blob` names. Raises Refusal if it is not a reference."""
    named = job.payload.get("blob")
    try:
        reference = read_reference(job.tenant, str(named))
    except ReferenceWrong as wrong:
        raise Refusal("blob_reference_wrong", f"payload.blob: {wrong}") from wrong
    return InputFile(blobs, reference, str(job.payload.get("sheet", "")))


@contextmanager
def refusals() -> Iterator[None]:
    """Turn errors of a file, a blob or a data-entry type into Refusal."""
    try:
        yield
    except RefusedFile as refused:
        kind = kind_of_file(refused.names)
        # A file of another kind is not another program's file of this kind.
        proposal = {} if kind else refused.proposal
        sentences = (f"{_capital(str(refused))}.", kind, _how_to_read_it(proposal))
        stats = proposal_stats(proposal)
        message = " ".join(filter(None, sentences))
        raise Refusal(str(refused.cause), message, stats=stats) from refused
    except BlobMissing as missing:
        raise Refusal("blob_not_found", f"{_capital(str(missing))}: {_WHY_MISSING}.") from missing
    except BlobDamaged as damaged:
        raise Refusal("blob_damaged", f"{_capital(str(damaged))}.") from damaged
    except BlobTooLarge as too_large:
        told = f"{_capital(str(too_large))}, and a part of this one would have more: divide it."
        raise Refusal("rows_too_large", told) from too_large
    except NotSupported as unsupported:
        raise Refusal("not_supported", f"{_capital(str(unsupported))}.") from unsupported


def _how_to_read_it(proposal: Mapping[str, Any]) -> str:
    if not proposal:
        return ""
    mapping, sheet = proposal.get("mapping", {}), proposal.get("sheet", "")
    line = mapping.get("header_line")
    seems = f"Line {line} seems to be its header" if line else ""
    if sheet:
        seems = f"{seems or 'Its table seems to be'} in the sheet {shown_name(sheet)}"
    options = " ".join(how_to_read_flags(sheet, mapping))
    told = [f"{seems}."] if seems else []
    if options:
        told.append(f"If that is what it means, submit it with `{options}`.")
    if left_open := proposal.get("left_open", ()):
        told.append(f"Not sure: {'; '.join(left_open[:_LEFT_OPEN_TOLD])}.")
    return " ".join(told)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
