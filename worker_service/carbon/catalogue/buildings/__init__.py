"""Rooms, fuels burnt, metered energy, construction and renovation."""

from worker_service.carbon.catalogue.buildings.building import BUILDING
from worker_service.carbon.catalogue.buildings.building_embodied_energy import (
    BUILDING_EMBODIED_ENERGY,
)
from worker_service.carbon.catalogue.buildings.energy_combustion import ENERGY_COMBUSTION
from worker_service.carbon.catalogue.buildings.purchased_energy import PURCHASED_ENERGY
from worker_service.carbon.declarations import Module

BUILDINGS = Module(
    id=3,
    name="buildings",
    types=(
        BUILDING,
        ENERGY_COMBUSTION,
        BUILDING_EMBODIED_ENERGY,
        PURCHASED_ENERGY,
    ),
)
