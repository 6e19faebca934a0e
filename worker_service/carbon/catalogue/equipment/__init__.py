"""Scientific, IT and other equipment in use."""

from worker_service.carbon.declarations import Module, UndeclaredType

EQUIPMENT = Module(
    id=4,
    name="equipment",
    types=(
        UndeclaredType(10, "scientific"),
        UndeclaredType(11, "it"),
        UndeclaredType(12, "other"),
    ),
)
