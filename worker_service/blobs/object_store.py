"""Blobs in an object store, each under its SHA-256: S3 and its likes, Google Cloud, Azure."""

import errno
import io
import random
import secrets
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError

from worker_service.blobs.object_calls import NotThere, asked, open_store, take_away, written
from worker_service.blobs.reference import BlobReference, check_tenant
from worker_service.blobs.store import (
    BLOB_BYTES_MAX,
    SUMMARY,
    BlobDamaged,
    BlobFolderUnusable,
    BlobMissing,
    BlobReader,
    Kept,
    ObjectStoreFailed,
    Upload,
)
from worker_service.blobs.summary import BlobSummary, SummaryDamaged

# Parts of an upload, and of a download: what is held in memory, times PARTS_MAX.
PART_BYTES = 8 << 20
PARTS_MAX = 4
IDENTITY = ".identity"
# A note that a blob is about to be deleted.
REMOVING = ".removing"
# What is written to learn whether a store that was full has room again.
ROOM, ROOM_BYTES = ".room", 1 << 20
# A removal takes seconds; whoever left such a note so long ago has died.
REMOVAL_SECONDS_MAX = 600.0
_WAIT_SECONDS_MAX = 60.0


class ObjectBlobStore:
    """As BlobStore, in the bucket and below the prefix of a URL.

    Objects appear whole or not at all. An upload is written to a temporary file of this machine
    first, since its name is its hash; it is sent in parts. All methods block.
    """

    def __init__(self, url: str, bytes_max: int = BLOB_BYTES_MAX) -> None:
        self.url = url
        self.bytes_max = bytes_max
        self.objects = open_store(url)
        # Of the store that was usable first. After a change of the bucket there is another one.
        self._identity = ""
        self._was_full = False

    def begin(
        self, tenant: str, file_name: str = "", scope: Mapping[str, Any] | None = None
    ) -> "ObjectUpload":
        """Begins an upload. Use it as a context manager. Raises ReferenceWrong for a bad tenant."""
        check_tenant(tenant)
        return ObjectUpload(self, tenant, BlobSummary(file_name, 0, datetime.now(UTC), scope or {}))

    def open(self, reference: BlobReference) -> BlobReader:
        """Opens a blob for reading. Raises BlobMissing or ObjectStoreFailed."""
        try:
            size = asked(lambda: obstore.head(self.objects, path_of(reference)))["size"]
        except NotThere:
            self._check_identity()
            raise BlobMissing(f"there is no {reference}") from None
        return BlobReader(reference, ObjectBytes(self, reference, size))

    def check_usable(self) -> None:
        """Raises BlobFolderUnusable if nothing can be read, or since the store was full. The first
        look makes the identity.
        """
        try:
            self._check_identity(makes=True)
            if self._was_full:
                self._take_room()
        except ObjectStoreFailed as error:
            raise BlobFolderUnusable(str(error.strerror)) from error

    def note_full(self) -> None:
        """An upload met a full store, which can still be read: a look takes room until it finds
        some.
        """
        self._was_full = True

    def _take_room(self) -> None:
        written(lambda: obstore.put(self.objects, ROOM, bytes(ROOM_BYTES)))
        self._was_full = False
        take_away(self.objects, ROOM)

    def _check_identity(self, *, makes: bool = False) -> None:
        """Raises ObjectStoreFailed if this is not the store that was used before."""
        found = self._identity_there()
        if not found and makes and not self._identity:
            own = secrets.token_hex(16).encode()
            try:
                written(lambda: obstore.put(self.objects, IDENTITY, own, mode="create"))
                found = own.decode()
            except AlreadyExistsError:
                found = self._identity_there()
        if not found or found != (self._identity or found):
            raise ObjectStoreFailed(
                errno.ESTALE,
                f"{self.url} is not the object store that was used before, or has nothing of it: to"
                " use what is there now, restart this process",
            )
        self._identity = found

    def _identity_there(self) -> str:
        try:
            there = asked(lambda: bytes(obstore.get(self.objects, IDENTITY).bytes()))
        except NotThere:
            return ""
        return there.decode("ascii", errors="replace")

    def summary(self, reference: BlobReference) -> BlobSummary:
        """Reads what is known of a blob. Raises BlobMissing, BlobDamaged or ObjectStoreFailed."""
        if not self.has(path_of(reference)):
            self._check_identity()
            raise BlobMissing(f"there is no {reference}")
        try:
            return self._stored_summary(reference)
        except (NotThere, SummaryDamaged):
            # It may have been deleted meanwhile, and then both are gone.
            if not self.has(path_of(reference)):
                raise BlobMissing(f"there is no {reference}") from None
            raise BlobDamaged.in_summary(reference) from None

    def is_described(self, reference: BlobReference) -> bool:
        """Whether there is a summary that can be read. Raises ObjectStoreFailed."""
        # What is new is not read: a store that refuses to read may take it.
        if not self.has(summary_path_of(reference)):
            return False
        try:
            self._stored_summary(reference)
        except (NotThere, SummaryDamaged):
            return False
        return True

    def is_there(self, reference: BlobReference) -> bool:
        """Whether there are bytes and a summary, unread. Raises ObjectStoreFailed."""
        return self.has(path_of(reference)) and self.has(summary_path_of(reference))

    def _stored_summary(self, reference: BlobReference) -> BlobSummary:
        name = summary_path_of(reference)
        stored = asked(lambda: bytes(obstore.get(self.objects, name).bytes()))
        return BlobSummary.of_stored(stored)

    def collect_abandoned_uploads(self) -> int:
        """Nothing is left behind: temporary files have no name. Parts that were sent by a process
        that was killed are the bucket's, which a rule of it deletes.
        """
        return 0

    def has(self, name: str) -> bool:
        """Whether there is an object of this name. Raises ObjectStoreFailed."""
        try:
            asked(lambda: obstore.head(self.objects, name))
        except NotThere:
            return False
        return True


def path_of(reference: BlobReference) -> str:
    """The name of the object with the bytes."""
    return f"{reference.tenant}/{reference.sha256[:2]}/{reference.sha256}"


def summary_path_of(reference: BlobReference) -> str:
    """The name of the object with the summary."""
    return path_of(reference) + SUMMARY


class ObjectUpload(Upload):
    """A file without a name on this machine, which is sent at its end."""

    def __init__(self, store: ObjectBlobStore, tenant: str, summary: BlobSummary) -> None:
        # Closed at the end of the context; whoever is killed leaves nothing.
        file = tempfile.TemporaryFile()  # noqa: SIM115
        super().__init__(store.bytes_max, tenant, summary, file)
        self._store = store
        self._described_before = False

    def keep(self) -> Kept:
        """Makes the upload a blob. The first summary of the same bytes stays; the bytes are sent
        anew, so that they count as uploaded now, and replace damaged ones.

        Raises ObjectStoreFailed, and then an earlier blob of the same bytes is as it was.
        """
        reference = BlobReference(self._tenant, self.sha256)
        already = self._store.has(path_of(reference))
        try:
            self._send(reference)
            self._outlive_a_removal(reference)
        except ObjectStoreFailed as error:
            if error.errno == errno.ENOSPC:
                self._store.note_full()
            raise
        return Kept(
            reference,
            self.size_bytes,
            already_stored=already,
            described_before=self._described_before,
        )

    def _send(self, reference: BlobReference) -> None:
        # The summary first: whoever sees the bytes sees it too.
        objects = self._store.objects
        self._describe(reference)
        self._file.seek(0)
        written(
            lambda: obstore.put(
                objects,
                path_of(reference),
                io.BytesIO(b"") if self.size_bytes == 0 else self._file,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_MAX,
            )
        )

    def _describe(self, reference: BlobReference) -> None:
        """The first summary stays, also of two that send the same bytes at once."""
        self._described_before = self._store.is_described(reference)
        if self._described_before:
            return
        objects, name = self._store.objects, summary_path_of(reference)
        summary = self._summary.to_store(self.size_bytes)
        if self._store.has(name):
            # What is damaged is replaced.
            written(lambda: obstore.put(objects, name, summary))
            return
        try:
            written(lambda: obstore.put(objects, name, summary, mode="create"))
        except AlreadyExistsError:
            self._described_before = True

    def _outlive_a_removal(self, reference: BlobReference) -> None:
        """Sends again what a removal took that had looked at the blob before it was sent.

        A removal writes a note, looks at the age, deletes, and takes the note back. So if there is
        no note now, either it looks at these bytes, or it has deleted what it will: both, or the
        summary alone if these bytes came between its two deletions.
        """
        note, until = path_of(reference) + REMOVING, time.monotonic() + _WAIT_SECONDS_MAX
        while True:
            if note_stands(self._store, note):
                if time.monotonic() > until:
                    raise ObjectStoreFailed(
                        errno.EBUSY, "the same file is being deleted: upload it again"
                    )
                time.sleep(random.uniform(0.1, 0.5))  # noqa: S311
            elif self._store.is_there(reference):
                return
            else:
                self._send(reference)


def note_stands(store: ObjectBlobStore, note: str) -> bool:
    """Whether somebody is about to delete a blob. A note that is left behind is taken back."""
    try:
        since = asked(lambda: obstore.head(store.objects, note))["last_modified"]
    except NotThere:
        return False
    if datetime.now(UTC).timestamp() - since.timestamp() < REMOVAL_SECONDS_MAX:
        return True
    take_away(store.objects, note)
    return False


class ObjectBytes:
    """The bytes of an object, read in parts. A part that fails is asked for again by the library;
    who reads slowly keeps no connection open.
    """

    def __init__(self, store: ObjectBlobStore, reference: BlobReference, size: int) -> None:
        self._store = store
        self._reference = reference
        self._size = size
        self._at = 0
        self._held = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Reads at most `size` bytes; none at the end. Raises ObjectStoreFailed."""
        if not self._held and self._at < self._size and size:
            self._held = self._next()
        piece, self._held = bytes(self._held[:size]), self._held[size:]
        return piece

    def _next(self) -> memoryview:
        start, end = self._at, min(self._at + PART_BYTES, self._size)
        name = path_of(self._reference)
        try:
            part = asked(lambda: obstore.get_range(self._store.objects, name, start=start, end=end))
        except NotThere:
            raise ObjectStoreFailed(
                errno.ESTALE, f"{self._reference} was deleted while it was read"
            ) from None
        self._at = end
        return memoryview(bytes(part))

    def close(self) -> None:
        """Nothing is open between parts."""
