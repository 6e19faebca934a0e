"""Scientific, IT and other equipment in use."""

from worker_service.carbon.catalogue.equipment.it import IT
from worker_service.carbon.catalogue.equipment.other import OTHER
from worker_service.carbon.catalogue.equipment.scientific import SCIENTIFIC
from worker_service.carbon.declarations import Module

EQUIPMENT = Module(id=4, name="equipment", types=(SCIENTIFIC, IT, OTHER))
