"""Names of files as a message may hold them, whatever the disk calls them."""


def sent_name(name: str) -> str:
    """The name, with the bytes in it that are no UTF-8 written out in hexadecimal digits."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
