"""Whether a new upload has no row that another one has: a quick look, before all are compared."""

import asyncio
from collections.abc import Sequence

from worker_service.carbon.declarations import DataEntryType
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.kept_digests import DigestedSet, KeptDigests
from worker_service.ledger.pool import Connection
from worker_service.ledger.row_digests import (
    DigestChunk,
    UploadBeside,
    digests_of,
    uploads_beside,
)
from worker_service.steps.shared_rows import made_by


async def nothing_is_shared(
    snapshot: Connection,
    kept: KeptDigests,
    declared: DataEntryType,
    new: NewSet,
    own: DigestChunk | DigestedSet,
) -> bool:
    """Whether no row of a new upload, given by its digests, is in one that will count beside it.

    False, too, if a look at digests cannot tell, because they are too many or not all there, or
    because `declared` says what may be in a unit once, however its row differs otherwise.
    """
    made = made_by(declared)
    beside = await uploads_beside(snapshot, new, made)
    if not beside:
        return True
    if declared.unique or not all(one.has_digests for one in beside):
        return False
    others = await kept.read(snapshot, new.tenant, _digested(beside), made)
    if others is None:
        return False
    if isinstance(own, DigestChunk):
        mine = digests_of(own)
    else:
        read = await kept.read(snapshot, new.tenant, [own], made)
        if read is None:
            return False
        mine = read
    fewer, more = sorted((mine, others), key=len)
    # Looking for few among many needs no table of the many.
    return not await asyncio.to_thread(lambda: more.is_in(fewer.implode()).any())


def _digested(beside: Sequence[UploadBeside]) -> list[DigestedSet]:
    return [
        DigestedSet(one.upload.upload_id, one.upload.row_count, one.content_digest)
        for one in beside
    ]
