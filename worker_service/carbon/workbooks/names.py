"""Names of sheets and members of an archive, safe to show."""

from collections.abc import Sequence

_CHARACTERS_MAX = 80
_NAMED_MAX = 10


def shown_name(name: str) -> str:
    r"""The name, cut, with what has no shape of its own written out, such as \u200b."""
    written = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in name[:_CHARACTERS_MAX]
    )
    return written + "…" if len(name) > _CHARACTERS_MAX else written


def shown_names(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _NAMED_MAX
    listed = ", ".join(shown_name(name) for name in names[:_NAMED_MAX])
    return f"{listed} and {more:,} more" if more > 0 else listed
