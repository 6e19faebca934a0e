"""Goods and services bought."""

from worker_service.carbon.catalogue.purchase.additional_purchases import ADDITIONAL_PURCHASES
from worker_service.carbon.catalogue.purchase.biological_chemical_gaseous_product import (
    BIOLOGICAL_CHEMICAL_GASEOUS_PRODUCT,
)
from worker_service.carbon.catalogue.purchase.consumable_accessories import CONSUMABLE_ACCESSORIES
from worker_service.carbon.catalogue.purchase.it_equipment import IT_EQUIPMENT
from worker_service.carbon.catalogue.purchase.other_purchases import OTHER_PURCHASES
from worker_service.carbon.catalogue.purchase.scientific_equipment import SCIENTIFIC_EQUIPMENT
from worker_service.carbon.catalogue.purchase.services import SERVICES
from worker_service.carbon.catalogue.purchase.vehicles import VEHICLES
from worker_service.carbon.declarations import Module

PURCHASE = Module(
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
)
