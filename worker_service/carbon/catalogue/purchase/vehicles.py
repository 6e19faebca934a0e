"""Vehicles bought, by the money spent."""

from worker_service.carbon.catalogue.purchase.spending import spending

VEHICLES = spending(65, "vehicles", "Vehicles", "vehicles")
