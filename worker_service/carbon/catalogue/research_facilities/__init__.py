"""Shared research and animal facilities."""

from worker_service.carbon.catalogue.research_facilities.mice_and_fish_animal_facilities import (
    ANIMAL_FACILITY,
)
from worker_service.carbon.catalogue.research_facilities.research_facilities import (
    RESEARCH_FACILITY,
)
from worker_service.carbon.declarations import Module

RESEARCH_FACILITIES = Module(
    id=6, name="research_facilities", types=(RESEARCH_FACILITY, ANIMAL_FACILITY)
)
