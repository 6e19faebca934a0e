"""What PostgreSQL's error codes (SQLSTATE) mean to us; without the driver, which may be missing.

Source: PostgreSQL documentation, appendix "PostgreSQL Error Codes". The first two characters are
the class.
"""

# Classes: connection lost or refused, too busy, shutting down or starting.
UNAVAILABLE = frozenset({"08", "53", "57"})
# Classes: wrong credentials, no such database.
WRONG_DATABASE = frozenset({"28", "3D"})
# Insufficient privilege; a transaction that may only read.
NOT_ALLOWED = frozenset({"42501", "25006"})
# A parameter of the URL that does not exist, cannot be set, or has a wrong value.
WRONG_PARAMETER = frozenset({"42704", "55P02", "22023", "42601"})
# Lock not available, deadlock detected, serialization failure: the same may succeed in a moment.
TRY_AGAIN = frozenset({"55P03", "40P01", "40001"})


def sqlstate_of(error: BaseException) -> str:
    """The five characters, also of an error that SQLAlchemy has wrapped; "" if it has none."""
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


def class_of(error: BaseException) -> str:
    """The class of the error's SQLSTATE; "" if it has none."""
    return sqlstate_of(error)[:2]
