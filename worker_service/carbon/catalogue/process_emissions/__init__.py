"""Gases released by processes."""

from worker_service.carbon.catalogue.process_emissions.process_emissions import PROCESS_GASES
from worker_service.carbon.declarations import Module

PROCESS_EMISSIONS = Module(id=8, name="process_emissions", types=(PROCESS_GASES,))
