"""Scientific equipment in use."""

from worker_service.carbon.catalogue.equipment.equipment_in_use import equipment_type

SCIENTIFIC = equipment_type(10, "scientific", title="Scientific equipment", example="microscope")
