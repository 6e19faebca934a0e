"""Writes stored values as text, as a file would have them."""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from worker_service.carbon.catalogue import type_by_id
from worker_service.carbon.declarations import SHOWN_AS_CODE, WRITTEN, DataEntryType

_CODE = re.compile(SHOWN_AS_CODE)


def text_of(value: Any) -> str:
    """Numbers with all their digits, whole ones without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@cache
def code_columns(data_entry_type: int) -> Mapping[str, str]:
    """The columns of a type whose values are codes, each with the key of its text as written."""
    known = type_by_id(data_entry_type)
    columns = known.columns if isinstance(known, DataEntryType) else ()
    return MappingProxyType({one.name: WRITTEN.format(one.name) for one in columns if one.is_code})


def code_of(key: str) -> str:
    """A code as people write it, from its key; other text as it is."""
    return key.upper() if _CODE.fullmatch(key) else key
