"""Names of files in a form that messages can hold."""


def sent_name(name: str) -> str:
    """The name, with bytes that are not UTF-8 written in hexadecimal digits."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
