"""Numbers of modules and data-entry types by the names that scripts give."""

import difflib
from collections.abc import Mapping, Sequence

from carbonline.client.errors import WrongArgument
from carbonline.v1 import types_pb2


def module_number(name: str | None) -> types_pb2.Module.ValueType:
    """The number of a module; 0 for None. Raises WrongArgument, which lists the names."""
    found = _number(name, types_pb2.Module.items(), "MODULE_", "module", "The modules")
    return types_pb2.Module.ValueType(found)


def type_number(name: str | None) -> types_pb2.DataEntryType.ValueType:
    """The number of a data-entry type; 0 for None. Raises WrongArgument."""
    numbers = types_pb2.DataEntryType.items()
    found = _number(name, numbers, "DATA_ENTRY_TYPE_", "data-entry type", "The types")
    return types_pb2.DataEntryType.ValueType(found)


def _number(
    name: str | None, items: Sequence[tuple[str, int]], prefix: str, noun: str, all_of_them: str
) -> int:
    if name is None:
        return 0
    numbers: Mapping[str, int] = {
        word.removeprefix(prefix).lower(): number for word, number in items if number
    }
    asked = name.strip().lower().replace("-", "_")
    if asked in numbers:
        return numbers[asked]
    near = difflib.get_close_matches(asked, numbers, n=1)
    hint = (
        f"Did you mean {near[0]}?" if near else f"{all_of_them} are {', '.join(sorted(numbers))}."
    )
    raise WrongArgument(f"There is no {noun} {name!r}. {hint}")
