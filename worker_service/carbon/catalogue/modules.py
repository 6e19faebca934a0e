"""All modules of the carbon account, with the declarations of their types.

Generated from protos/carbonline/v1/types.proto by `make protos`; do not edit.
"""

from worker_service.carbon.catalogue.buildings.building import (
    BUILDING,
)
from worker_service.carbon.catalogue.buildings.building_embodied_energy import (
    BUILDING_EMBODIED_ENERGY,
)
from worker_service.carbon.catalogue.buildings.energy_combustion import (
    ENERGY_COMBUSTION,
)
from worker_service.carbon.catalogue.buildings.purchased_energy import (
    PURCHASED_ENERGY,
)
from worker_service.carbon.catalogue.equipment.it import (
    IT,
)
from worker_service.carbon.catalogue.equipment.other import (
    OTHER,
)
from worker_service.carbon.catalogue.equipment.scientific import (
    SCIENTIFIC,
)
from worker_service.carbon.catalogue.external_cloud_and_ai.external_ai import (
    EXTERNAL_AI,
)
from worker_service.carbon.catalogue.external_cloud_and_ai.external_clouds import (
    EXTERNAL_CLOUDS,
)
from worker_service.carbon.catalogue.headcount.homeworking import (
    HOMEWORKING,
)
from worker_service.carbon.catalogue.headcount.member import (
    MEMBER,
)
from worker_service.carbon.catalogue.headcount.student import (
    STUDENT,
)
from worker_service.carbon.catalogue.process_emissions.process_emissions import (
    PROCESS_EMISSIONS,
)
from worker_service.carbon.catalogue.professional_travel.plane import (
    PLANE,
)
from worker_service.carbon.catalogue.professional_travel.road_travel import (
    ROAD_TRAVEL,
)
from worker_service.carbon.catalogue.professional_travel.train import (
    TRAIN,
)
from worker_service.carbon.catalogue.purchase.additional_purchases import (
    ADDITIONAL_PURCHASES,
)
from worker_service.carbon.catalogue.purchase.biological_chemical_gaseous_product import (
    BIOLOGICAL_CHEMICAL_GASEOUS_PRODUCT,
)
from worker_service.carbon.catalogue.purchase.consumable_accessories import (
    CONSUMABLE_ACCESSORIES,
)
from worker_service.carbon.catalogue.purchase.it_equipment import (
    IT_EQUIPMENT,
)
from worker_service.carbon.catalogue.purchase.other_purchases import (
    OTHER_PURCHASES,
)
from worker_service.carbon.catalogue.purchase.scientific_equipment import (
    SCIENTIFIC_EQUIPMENT,
)
from worker_service.carbon.catalogue.purchase.services import (
    SERVICES,
)
from worker_service.carbon.catalogue.purchase.vehicles import (
    VEHICLES,
)
from worker_service.carbon.catalogue.research_facilities.mice_and_fish_animal_facilities import (
    MICE_AND_FISH_ANIMAL_FACILITIES,
)
from worker_service.carbon.catalogue.research_facilities.research_facilities import (
    RESEARCH_FACILITIES,
)
from worker_service.carbon.declarations import Module

MODULES: tuple[Module, ...] = (
    Module(
        id=1,
        name="headcount",
        types=(
            MEMBER,
            STUDENT,
            HOMEWORKING,
        ),
    ),
    Module(
        id=2,
        name="professional_travel",
        types=(
            PLANE,
            TRAIN,
            ROAD_TRAVEL,
        ),
    ),
    Module(
        id=3,
        name="buildings",
        types=(
            BUILDING,
            ENERGY_COMBUSTION,
            BUILDING_EMBODIED_ENERGY,
            PURCHASED_ENERGY,
        ),
    ),
    Module(
        id=4,
        name="equipment",
        types=(
            SCIENTIFIC,
            IT,
            OTHER,
        ),
    ),
    Module(
        id=5,
        name="purchase",
        types=(
            SCIENTIFIC_EQUIPMENT,
            IT_EQUIPMENT,
            CONSUMABLE_ACCESSORIES,
            BIOLOGICAL_CHEMICAL_GASEOUS_PRODUCT,
            SERVICES,
            VEHICLES,
            OTHER_PURCHASES,
            ADDITIONAL_PURCHASES,
        ),
    ),
    Module(
        id=6,
        name="research_facilities",
        types=(
            RESEARCH_FACILITIES,
            MICE_AND_FISH_ANIMAL_FACILITIES,
        ),
    ),
    Module(
        id=7,
        name="external_cloud_and_ai",
        types=(
            EXTERNAL_CLOUDS,
            EXTERNAL_AI,
        ),
    ),
    Module(
        id=8,
        name="process_emissions",
        types=(PROCESS_EMISSIONS,),
    ),
)
