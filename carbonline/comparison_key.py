"""The form in which the ledger compares texts such as sources and units."""

import unicodedata

from carbonline.unseen import seen

# Spaces at which a line must not be broken.
_PLAIN_SPACES = str.maketrans("\u00a0\u202f\u2007", "   ")


def comparison_key(text: str) -> str:
    """Composed Unicode, lower case, ss for ß, plain spaces, nothing that nobody sees."""
    plain = seen(text.strip()).translate(_PLAIN_SPACES)
    return unicodedata.normalize("NFC", plain).lower().replace("ß", "ss")
