"""The errors of the local stack. Their messages are sentences for the user."""


class LocalStackError(Exception):
    """The stack cannot start or continue. The message says why, and what to do."""


class WrongChoice(LocalStackError):
    """A folder, a port, a database URL or PGBIN that the user chose cannot be used."""
