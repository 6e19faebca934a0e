"""Numbers with their nouns, as people write them."""


def pluralize(number: int, one: str, many: str = "") -> str:
    """Such as "1 row" and "8,255 rows". `many` is the plural if it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
