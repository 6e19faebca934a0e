"""Names of modules, as people write them, and their numbers: the enum of the contract."""

from google.protobuf import descriptor_pool

_ENUM, _PREFIX = "carbonline.v1.Module", "MODULE_"


def module_number(name: str) -> int | None:
    """The number of a name such as "professional_travel"; None if there is none."""
    values = descriptor_pool.Default().FindEnumTypeByName(_ENUM).values_by_name
    found = values.get(_PREFIX + name.upper())
    # Zero stands for no module.
    return found.number if found is not None and found.number else None


def module_name(number: int) -> str:
    """The name of a number; the number itself if there is none."""
    values = descriptor_pool.Default().FindEnumTypeByName(_ENUM).values_by_number
    found = values.get(number)
    return found.name.removeprefix(_PREFIX).lower() if found is not None else str(number)
