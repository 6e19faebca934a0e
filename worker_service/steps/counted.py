"""Numbers of things as people write them."""


def counted(number: int, one: str, many: str = "") -> str:
    """Such as "1 row" and "8,255 rows"; `many` where it is not `one` and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
