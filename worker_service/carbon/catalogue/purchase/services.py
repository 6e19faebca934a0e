"""Services bought, by the money spent."""

from worker_service.carbon.catalogue.purchase.spending import spending

SERVICES = spending(64, "services", "Services", "services")
