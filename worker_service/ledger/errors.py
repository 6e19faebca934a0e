"""The errors of the ledger."""

from carbonline.postgres.errors import DatabaseUnavailable


class SchemaMissing(Exception):
    """The database has no current schema `carbon`. The message names the command that makes it."""


class TooManyReads(DatabaseUnavailable):
    """For as long as a read may wait, other reads have held every connection for reads."""


class FenceRefused(Exception):
    """This claim may not write the ledger scope: roll back and stop.

    A newer claim has written it, or it was closed to this claim, or the claim's lease is over.
    """


class InputMoved(Exception):
    """The ledger scope was written since the snapshot was read. Read it again and recompute."""


class PublicationMismatch(Exception):
    """A publication met other rows than it was to publish: a defect, and nothing is committed."""


class CommitUnknown(Exception):
    """The connection was lost after COMMIT was sent. Ask `was_committed`."""
