"""Writes what the scheduler and the workers know of data-entry types, from the proto's enum.

The scheduler gets tables, the workers the list of the files that declare the types.
"""

from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import EnumValueDescriptor

from carbonline.v1 import types_pb2

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = REPOSITORY / "scheduler_service" / "jobs" / "catalogue.py"
DECLARATIONS = REPOSITORY / "worker_service" / "carbon" / "catalogue"
MODULES_TARGET = DECLARATIONS / "modules.py"
HEAD = '''"""Which data-entry types a module has, and which read reference data or totals.

Generated from the options in protos/carbonline/v1/types.proto by `make protos`; do not edit.
"""

from collections.abc import Mapping
from types import MappingProxyType

'''
MODULE_OF_TYPE = """MODULE_OF_TYPE: Mapping[int, int] = MappingProxyType(
    {entry_type: module for module, types in TYPES_OF_MODULE.items() for entry_type in types}
)
"""
MODULES_HEAD = '''"""All modules of the carbon account, with the declarations of their types.

Generated from protos/carbonline/v1/types.proto by `make protos`; do not edit.
"""

'''
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
            _readers_of_totals(),
        ]
    )


def declared_modules() -> str:
    """The text of the workers' list of modules.

    The constant NAME of the file catalogue/<module>/<name>.py declares a type.
    """
    declared, undeclared = {}, {}
    for one in TYPES:
        name = one.name.removeprefix("DATA_ENTRY_TYPE_")
        folder = _module_name(one.GetOptions().Extensions[types_pb2.of_module])
        if (DECLARATIONS / folder / f"{name.lower()}.py").exists():
            declared[one.number] = (f"{folder}.{name.lower()}", name)
        else:
            undeclared[one.number] = f'UndeclaredType({one.number}, "{name.lower()}")'
    named = {number: name for number, (_, name) in declared.items()} | undeclared
    lines = [
        f"from worker_service.carbon.catalogue.{file} import (\n    {name},\n)\n"
        for file, name in sorted(declared.values())
    ]
    needed = ["Module", *(["UndeclaredType"] if undeclared else [])]
    lines.append(f"from worker_service.carbon.declarations import {', '.join(needed)}\n\n")
    lines.append("MODULES: tuple[Module, ...] = (\n")
    for module in MODULES:
        types = [named[one.number] for one in _types_of(module.number)]
        lines += [
            f"    Module(\n        id={module.number},\n",
            f'        name="{_module_name(module.number)}",\n',
            f"        types=({_listed(types)}),\n    ),\n",
        ]
    return "".join([MODULES_HEAD, *lines, ")\n"])


def _listed(names: list[str]) -> str:
    """The items of a tuple, as the formatter writes them."""
    if len(names) == 1:
        return f"{names[0]},"
    return "".join(f"\n            {name}," for name in names) + "\n        "


def _module_name(number: int) -> str:
    return types_pb2.Module.Name(types_pb2.Module.ValueType(number)).removeprefix("MODULE_").lower()


def _types_of(module: int) -> list[EnumValueDescriptor]:
    return [one for one in TYPES if one.GetOptions().Extensions[types_pb2.of_module] == module]


def _kinds_read_by(one: EnumValueDescriptor) -> list[str]:
    return list(one.GetOptions().Extensions[types_pb2.reads_reference])


def _readers_of_totals() -> str:
    readers = [one for one in TYPES if one.GetOptions().Extensions[types_pb2.reads_totals]]
    lines = [
        f"    {one.number},  # {one.name.removeprefix('DATA_ENTRY_TYPE_').lower()}"
        for one in readers
    ]
    return "\n".join(["READERS_OF_TOTALS: tuple[int, ...] = (", *lines, ")", ""])


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
    MODULES_TARGET.write_text(declared_modules(), encoding="utf-8")
