"""Writes stored values as text, as a file would have them."""

import re
from functools import cache
from typing import Any

from worker_service.carbon.catalogue import place_columns
from worker_service.carbon.parse.references import LOCATION_COLUMNS

# Places are kept by their code in small letters; everything else is somebody's own words.
_CODE = re.compile("[a-z]{3}")


def text_of(value: Any) -> str:
    """Numbers with all their digits, whole ones without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@cache
def code_columns() -> frozenset[tuple[int, str]]:
    """The types and columns whose values are codes of places, which people write in capitals."""
    return frozenset(
        (data_entry_type, column)
        for mode in LOCATION_COLUMNS
        for data_entry_type, places, _ in place_columns(mode)
        for columns in places
        if len(columns) == 1
        for column in columns
    )


def code_of(text: str) -> str:
    """A place's code as people write it; other text as it is."""
    return text.upper() if _CODE.fullmatch(text) else text
