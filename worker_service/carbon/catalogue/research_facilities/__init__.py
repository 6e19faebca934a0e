"""Shared research and animal facilities."""

from worker_service.carbon.declarations import Module, UndeclaredType

RESEARCH_FACILITIES = Module(
    id=6,
    name="research_facilities",
    types=(
        UndeclaredType(70, "research_facilities"),
        UndeclaredType(71, "mice_and_fish_animal_facilities"),
    ),
)
