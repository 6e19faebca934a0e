"""The errors of the local stack, whose text is a sentence for the person at the keyboard."""


class LocalStackError(Exception):
    """The stack cannot start or go on; the text says why and what to do next."""


class WrongChoice(LocalStackError):
    """What was chosen (a folder, a port, a database URL, PGBIN) cannot be used as it stands."""
