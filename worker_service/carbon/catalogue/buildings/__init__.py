"""Rooms, fuels burnt, metered energy, construction and renovation."""

from worker_service.carbon.declarations import Module, UndeclaredType

BUILDINGS = Module(
    id=3,
    name="buildings",
    types=(
        UndeclaredType(30, "building"),
        UndeclaredType(31, "energy_combustion"),
        UndeclaredType(32, "building_embodied_energy"),
        UndeclaredType(33, "purchased_energy"),
    ),
)
