"""Goods and services bought."""

from worker_service.carbon.catalogue.purchase.additional_purchases import ADDITIONAL_PURCHASES
from worker_service.carbon.declarations import Module, UndeclaredType

PURCHASE = Module(
    id=5,
    name="purchase",
    types=(
        UndeclaredType(60, "scientific_equipment"),
        UndeclaredType(61, "it_equipment"),
        UndeclaredType(62, "consumable_accessories"),
        UndeclaredType(63, "biological_chemical_gaseous_product"),
        UndeclaredType(64, "services"),
        UndeclaredType(65, "vehicles"),
        UndeclaredType(66, "other_purchases"),
        ADDITIONAL_PURCHASES,
    ),
)
