"""Makes text from files and servers safe to print on a terminal."""

import re

# What a terminal obeys instead of showing (ESC, BEL, C1), what turns the direction of text, and
# what stands for bytes that are none in a file's name.
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(text: str) -> str:
    """The text on one line, with control characters escaped as in a Python literal."""
    return _OBEYED.sub(_written_out, text)


def escaped(text: str, form: str) -> str:
    """The text with control characters written as `form`, which gets the number of each."""
    return _OBEYED.sub(lambda found: form.format(ord(found.group())), text)


def lines(text: str) -> str:
    """The text with control characters escaped, except line feeds."""
    return "\n".join(one_line(line) for line in text.split("\n"))


def _written_out(found: re.Match[str]) -> str:
    letter = found.group()
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")
