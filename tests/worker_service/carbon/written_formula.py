"""Computes kilograms from the written form of a formula alone, as a reader with a pencil would."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

Values: TypeAlias = Mapping[str, float | str | None]

_OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_DEFINITION = re.compile(r"(\w+) = (.+)")
_IF_EMPTY = re.compile(r"(\w+) \(([\d.]+) if empty\)")
_BY_VALUE = re.compile(r"([\d.]+) if (\w+) is (\w+)")
_ZERO_IF = re.compile(r"(.+), 0 if (\w+) is 0")
_SUM_OVER = re.compile(r"\(the sum of (\w+) \* (\w+) over ([\w, ]+)\)")


def definitions(written: str) -> Mapping[str, str]:
    """What the written form says of each name: `kg`, and those that it is made of."""
    matches = (_DEFINITION.fullmatch(clause) for clause in re.split(r"; |\. ", written))
    return {match[1]: match[2] for match in matches if match}


def may_be_empty(written: str) -> set[str]:
    """The columns for which the written form says what counts in their place."""
    found = {match[1] for match in _IF_EMPTY.finditer(_plain(written))}
    for text in definitions(written).values():
        first, *others = _plain(text).split(", else ")
        found |= {first} if others else set()
    return found


def kilograms(written: str, values: Values) -> float | None:
    """The kilograms of a row with these values, or None if one that is needed is empty.

    None among the values stands for an empty field.
    """
    return _value(definitions(written), "kg", values)


def _value(known: Mapping[str, str], name: str, values: Values) -> float | None:
    if name in values or name not in known:
        value = values[name]
        assert not isinstance(value, str)
        return value
    text = known[name]
    if zero := _ZERO_IF.match(text):
        if not values[zero[2]]:
            return 0.0
        text = zero[1]
    if by_value := _BY_VALUE.findall(text):
        [number] = [float(number) for number, column, value in by_value if values[column] == value]
        return number
    return next(
        (
            value
            for part in _plain(text).split(", else ")
            if (value := _arithmetic(known, part, values)) is not None
        ),
        None,
    )


def _plain(text: str) -> str:
    """Without the words that say whose column it is."""
    for words in (" of the row", " of the factor"):
        text = text.replace(words, "")
    return text.replace("great circle km", "great_circle_km")


def _arithmetic(known: Mapping[str, str], text: str, values: Values) -> float | None:
    text = _SUM_OVER.sub(_written_out, text)
    empty = {match[1]: float(match[2]) for match in _IF_EMPTY.finditer(text)}
    tree = ast.parse(_IF_EMPTY.sub(r"\1", text), mode="eval").body
    return _computed(known, tree, {**values, **_filled(empty, values)})


def _written_out(match: re.Match[str]) -> str:
    """The sum of each source's share times its kilograms; without kilograms it adds nothing."""
    sources = re.split(r", | and ", match[3])
    terms = (f"{match[1]}_{name} * {match[2]}_{name} (0 if empty)" for name in sources)
    return f"({' + '.join(terms)})"


def _filled(empty: Mapping[str, float], values: Values) -> Values:
    return {name: number for name, number in empty.items() if values[name] is None}


def _computed(known: Mapping[str, str], node: ast.expr, values: Values) -> float | None:
    match node:
        case ast.BinOp(left, operation, right):
            one, other = _computed(known, left, values), _computed(known, right, values)
            if one is None or other is None:
                return None
            return _OPERATIONS[type(operation)](one, other)
        case ast.Constant(int() | float() as number):
            return float(number)
        case ast.Name(name):
            return _value(known, name, values)
        case _:
            raise AssertionError(f"{ast.unparse(node)} is not arithmetic that a reader can follow")
