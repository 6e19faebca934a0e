"""IT equipment in use."""

from worker_service.carbon.catalogue.equipment.equipment_in_use import equipment_type

IT = equipment_type(11, "it", title="IT equipment", example="laptop")
