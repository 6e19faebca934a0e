"""Names of files in a form that messages can hold."""

# The airports of the package of that name. Not beside them, since reading them takes long.
AIRPORTS_FILE_NAME = "airportsdata.csv"


def sent_name(name: str) -> str:
    """The name, with bytes that are not UTF-8 written in hexadecimal digits."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
