"""What the ledger says instead of doing its work."""


class DatabaseAway(ConnectionError):
    """PostgreSQL does not answer, or asks to try again: the same call may be repeated."""


class DatabaseRefuses(Exception):
    """PostgreSQL answers, but not this role, or not for this database."""


class SchemaMissing(Exception):
    """The database has no current schema `carbon`; says which command makes it."""


class FenceRefused(Exception):
    """A newer claim has written the scope, or it was closed to this one, or its time is over."""


class InputMoved(Exception):
    """The scope was written since its snapshot was read: read it again and compute anew."""


class PublicationMismatch(Exception):
    """A publication met other rows than it was to publish: a defect, and nothing is committed."""


class CommitUnknown(Exception):
    """The connection was lost while COMMIT was on its way."""
