"""Biological, chemical and gaseous products bought, by the money spent."""

from worker_service.carbon.catalogue.purchase.spending import spending

BIOLOGICAL_CHEMICAL_GASEOUS_PRODUCT = spending(
    63,
    "biological_chemical_gaseous_product",
    "Biological, chemical and gaseous products",
    "biological_chemical_gaseous",
)
