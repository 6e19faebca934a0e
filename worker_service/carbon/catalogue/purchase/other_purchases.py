"""Other goods bought, by the money spent."""

from worker_service.carbon.catalogue.purchase.spending import spending

OTHER_PURCHASES = spending(66, "other_purchases", "Other goods", "other")
