"""Consumables and accessories bought, by the money spent."""

from worker_service.carbon.catalogue.purchase.spending import spending

CONSUMABLE_ACCESSORIES = spending(
    62, "consumable_accessories", "Consumables and accessories", "consumable_accessories"
)
