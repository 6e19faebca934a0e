"""Plain letters and digits for those of other widths and scripts."""

import unicodedata


def plain_digits(text: str) -> str:
    """The text with plain letters and digits for full-width ones and digits of other scripts."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in composed)
