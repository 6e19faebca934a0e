"""Checks the shape of a mapping; which columns there are is known to the worker alone."""

import re
from typing import Any

from carbonline.serving.field_checker import FieldChecker
from carbonline.unseen import has_unseen

PARTS = ("name", "columns", "constants", "values", "decimal", "dates", "header_line")
NAME_CHARACTERS_MAX = 64
TEXT_CHARACTERS_MAX = 255
ITEMS_MAX = 1_000
# So many lines from the top of a file may be a title, notes or empty.
HEADER_LINE_MAX = 50
_DECIMALS = ("comma", "point")
_DATES = re.compile(
    r"(?:dd([-/. ])mm\1|mm([-/. ])dd\2)yy(?:yy)?|(?:ddmm|mmdd)yyyy|yyyy([-/. ]?)mm\3dd"
)


def check_mapping(fields: FieldChecker, field: str, mapping: dict[str, Any]) -> None:
    """Notes what is wrong with a mapping of a payload or of a saved mapping."""
    for part in sorted(mapping.keys() - set(PARTS))[:ITEMS_MAX]:
        shown = part[:TEXT_CHARACTERS_MAX]
        fields.fail(f"{field}.{shown}", f"is unknown: a mapping has {', '.join(PARTS)}")
    for part in ("columns", "constants"):
        _check_texts(fields, f"{field}.{part}", mapping.get(part, {}))
    values = mapping.get("values", {})
    if not isinstance(values, dict):
        fields.fail(f"{field}.values", "must be an object: of a column, what stands for what")
    else:
        for column, some in list(values.items())[:ITEMS_MAX]:
            _check_texts(fields, f"{field}.values.{column[:TEXT_CHARACTERS_MAX]}", some)
    if fault := name_fault(mapping.get("name", "")):
        fields.fail(f"{field}.name", fault)
    if mapping.get("decimal", "") not in ("", *_DECIMALS):
        fields.fail(f"{field}.decimal", f"must be one of {', '.join(_DECIMALS)}, or left out")
    dates = mapping.get("dates", "")
    if not isinstance(dates, str) or (dates and not _DATES.fullmatch(dates.lower())):
        fields.fail(f"{field}.dates", "must be how a day is written, such as dd/mm/yyyy")
    if not _is_line(mapping.get("header_line", 1)):
        fault = f"must be a whole number from 1 to {HEADER_LINE_MAX}: the line with the names"
        fields.fail(f"{field}.header_line", fault)


def _is_line(number: Any) -> bool:
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return is_number and 1 <= number <= HEADER_LINE_MAX and number == int(number)


def name_fault(name: Any) -> str:
    """What is wrong with the name of a mapping, in words. "" for nothing."""
    is_text = isinstance(name, str) and len(name) <= NAME_CHARACTERS_MAX
    if is_text and name.isprintable() and not has_unseen(name) and name == name.strip():
        return ""
    return (
        f"must be a name of at most {NAME_CHARACTERS_MAX} characters, without control or invisible"
        " characters and without spaces around it"
    )


def _check_texts(fields: FieldChecker, field: str, texts: Any) -> None:
    if not isinstance(texts, dict) or len(texts) > ITEMS_MAX:
        fields.fail(field, f"must be an object of at most {ITEMS_MAX:,} texts")
        return
    if len({name.strip() for name in texts}) < len(texts):
        fields.fail(field, "has a name twice, but for the spaces around it")
    for name, text in texts.items():
        is_text = isinstance(text, str) and len(text) <= TEXT_CHARACTERS_MAX
        if not is_text or not 1 <= len(name) <= TEXT_CHARACTERS_MAX:
            shown = name[:TEXT_CHARACTERS_MAX]
            fault = f"must be text of at most {TEXT_CHARACTERS_MAX} characters, with a name"
            fields.fail(f"{field}.{shown}", fault)
