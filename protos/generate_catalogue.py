"""Writes the scheduler's tables of data-entry types from the options of the proto's enum."""

from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import EnumValueDescriptor

from carbonline.v1 import types_pb2

TARGET = Path(__file__).resolve().parent.parent / "scheduler_service" / "jobs" / "catalogue.py"
HEAD = '''"""Which data-entry types a module has, and which read a kind of reference data.

Generated from the options in protos/carbonline/v1/types.proto by `make protos`; do not edit.
"""

from collections.abc import Mapping
from types import MappingProxyType

'''
MODULE_OF_TYPE = """MODULE_OF_TYPE: Mapping[int, int] = MappingProxyType(
    {entry_type: module for module, types in TYPES_OF_MODULE.items() for entry_type in types}
)
"""
MODULES = types_pb2.Module.DESCRIPTOR.values[1:]
TYPES = types_pb2.DataEntryType.DESCRIPTOR.values[1:]


def catalogue() -> str:
    """The text of the file."""
    rows = (
        (module.name.removeprefix("MODULE_").lower(), module.number, _types_of(module.number))
        for module in MODULES
    )
    modules = [line for name, number, types in rows for line in (f"# {name}", *_row(number, types))]
    kinds = {kind: None for one in TYPES for kind in _kinds_read_by(one)}
    readers = [
        line
        for kind in kinds
        for line in _row(f'"{kind}"', [one for one in TYPES if kind in _kinds_read_by(one)])
    ]
    return "".join(
        [
            HEAD,
            _table("TYPES_OF_MODULE: Mapping[int, tuple[int, ...]]", modules),
            MODULE_OF_TYPE,
            _table("READERS_OF_REFERENCE: Mapping[str, tuple[int, ...]]", readers),
        ]
    )


def _types_of(module: int) -> list[EnumValueDescriptor]:
    return [one for one in TYPES if one.GetOptions().Extensions[types_pb2.of_module] == module]


def _kinds_read_by(one: EnumValueDescriptor) -> list[str]:
    return list(one.GetOptions().Extensions[types_pb2.reads_reference])


def _row(key: int | str, types: list[EnumValueDescriptor]) -> Iterator[str]:
    yield f"{key}: ("
    for one in types:
        yield f"    {one.number},  # {one.name.removeprefix('DATA_ENTRY_TYPE_').lower()}"
    yield "),"


def _table(name: str, lines: list[str]) -> str:
    indented = [f"        {line}" for line in lines]
    return "\n".join([f"{name} = MappingProxyType(", "    {", *indented, "    }", ")", ""])


if __name__ == "__main__":
    TARGET.write_text(catalogue(), encoding="utf-8")
