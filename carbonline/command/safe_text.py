"""Makes text from files and servers safe to print on a terminal."""

import codecs
import re

# What a terminal obeys instead of showing (ESC, BEL, C1), what turns the direction of text, and
# what stands for bytes that are none in a file's name.
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_WRITTEN_OUT = "carbonline.written_out"


def one_line(text: str) -> str:
    """The text on one line, with control characters escaped as in a Python literal."""
    return _OBEYED.sub(_written_out, text)


def escaped(text: str, form: str) -> str:
    """The text with control characters written as `form`, which gets the number of each."""
    return _OBEYED.sub(lambda found: form.format(ord(found.group())), text)


def lines(text: str) -> str:
    """The text with control characters escaped, except line feeds."""
    return "\n".join(one_line(line) for line in text.split("\n"))


def name_written_out() -> str:
    r"""The name of a handler of `str.encode` that writes out what cannot be encoded.

    Bytes of a file's name that are none of UTF-8 become what they are elsewhere, such as \xff.
    """
    codecs.register_error(_WRITTEN_OUT, _written_out_in_errors)
    return _WRITTEN_OUT


def _written_out_in_errors(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(map(_letter_written_out, letters)), error.end


def _written_out(found: re.Match[str]) -> str:
    return _letter_written_out(found.group())


def _letter_written_out(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")
