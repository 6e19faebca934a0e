"""Characters that nobody sees: two texts that differ in them look the same."""

import re

# What Unicode calls Default_Ignorable_Code_Point (fillers, joiners, selectors, marks of direction),
# and the empty pattern of Braille. The inside of a character class.
UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{UNSEEN}]")


def has_unseen(text: str) -> bool:
    """Whether the text has a character that nobody sees."""
    return _UNSEEN.search(text) is not None


def seen(text: str) -> str:
    """The text without what nobody sees."""
    return _UNSEEN.sub("", text)


def unseen_written_out(text: str) -> str:
    """The text with what nobody sees as in a Python literal, escaped."""
    return _UNSEEN.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)
