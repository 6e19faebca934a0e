"""Scientific equipment bought, by the money spent."""

from worker_service.carbon.catalogue.purchase.spending import spending

SCIENTIFIC_EQUIPMENT = spending(
    60, "scientific_equipment", "Scientific equipment", "scientific_equipment"
)
