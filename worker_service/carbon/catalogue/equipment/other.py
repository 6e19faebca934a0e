"""Other equipment in use."""

from worker_service.carbon.catalogue.equipment.equipment_in_use import equipment_type

OTHER = equipment_type(12, "other", title="Other equipment", example="freezer")
