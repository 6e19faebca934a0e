"""The text of a cell of a workbook, as a person would have typed it."""

import datetime as dt

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta

# A spreadsheet shows no more digits of a number, and keeps no more that are right.
_DIGITS = 15


def cell_text(cell: Cell, decimal: str = "") -> str:
    """Numbers without exponent and needless zeros, dates in ISO 8601, midnight left out.

    Numbers have a decimal comma if `decimal` is "comma", so that 1.234 is not taken for 1,234 of a
    file whose texts have such points between thousands.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        text = _number(cell)
        return text.replace(".", ",") if decimal == "comma" else text
    if isinstance(cell, dt.datetime):
        at_midnight = cell.time() == dt.time()
        return cell.date().isoformat() if at_midnight else cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        return str(cell)
    return cell.isoformat()


def _number(cell: float) -> str:
    text = f"{cell:.{_DIGITS}g}"
    if "e" not in text:
        return text
    # Python's shortest form of a very small or large number has an exponent.
    fixed = f"{cell:.{_DIGITS + 15}f}" if abs(cell) < 1 else f"{cell:.0f}"
    return fixed.rstrip("0").rstrip(".") if "." in fixed else fixed
