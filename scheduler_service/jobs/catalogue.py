"""Which data-entry types a module has, and which read reference data or totals.

Generated from the options in protos/carbonline/v1/types.proto by `make protos`; do not edit.
"""

from collections.abc import Mapping
from types import MappingProxyType

TYPES_OF_MODULE: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        # headcount
        1: (
            1,  # member
            2,  # student
            3,  # homeworking
        ),
        # professional_travel
        2: (
            20,  # plane
            21,  # train
            22,  # road_travel
        ),
        # buildings
        3: (
            30,  # building
            31,  # energy_combustion
            32,  # building_embodied_energy
            33,  # purchased_energy
        ),
        # equipment
        4: (
            10,  # scientific
            11,  # it
            12,  # other
        ),
        # purchase
        5: (
            60,  # scientific_equipment
            61,  # it_equipment
            62,  # consumable_accessories
            63,  # biological_chemical_gaseous_product
            64,  # services
            65,  # vehicles
            66,  # other_purchases
            67,  # additional_purchases
        ),
        # research_facilities
        6: (
            70,  # research_facilities
            71,  # mice_and_fish_animal_facilities
        ),
        # external_cloud_and_ai
        7: (
            40,  # external_clouds
            41,  # external_ai
        ),
        # process_emissions
        8: (
            50,  # process_emissions
        ),
    }
)
MODULE_OF_TYPE: Mapping[int, int] = MappingProxyType(
    {entry_type: module for module, types in TYPES_OF_MODULE.items() for entry_type in types}
)
READERS_OF_REFERENCE: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "locations": (
            20,  # plane
            21,  # train
        ),
        "rooms": (
            30,  # building
        ),
        "rates": (
            40,  # external_clouds
            60,  # scientific_equipment
            61,  # it_equipment
            62,  # consumable_accessories
            63,  # biological_chemical_gaseous_product
            64,  # services
            65,  # vehicles
            66,  # other_purchases
        ),
    }
)
READERS_OF_TOTALS: tuple[int, ...] = (
    70,  # research_facilities
    71,  # mice_and_fish_animal_facilities
)
