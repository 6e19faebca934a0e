"""Rooms, fuels burnt, construction and renovation. Not yet supported."""

from worker_service.carbon.declarations import Module, UndeclaredType

BUILDINGS = Module(
    id=3,
    name="buildings",
    types=(
        UndeclaredType(30, "building"),
        UndeclaredType(31, "energy_combustion"),
        UndeclaredType(32, "building_embodied_energy"),
    ),
)
