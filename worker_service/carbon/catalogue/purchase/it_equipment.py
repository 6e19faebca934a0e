"""IT equipment bought, by the money spent."""

from worker_service.carbon.catalogue.purchase.spending import spending

IT_EQUIPMENT = spending(61, "it_equipment", "IT equipment", "it_equipment")
