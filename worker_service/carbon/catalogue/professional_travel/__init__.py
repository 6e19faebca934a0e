"""Trips for work by air, rail and road."""

from worker_service.carbon.catalogue.professional_travel.plane import PLANE
from worker_service.carbon.catalogue.professional_travel.road_travel import ROAD_TRAVEL
from worker_service.carbon.catalogue.professional_travel.train import TRAIN
from worker_service.carbon.declarations import Module

PROFESSIONAL_TRAVEL = Module(
    id=2,
    name="professional_travel",
    types=(PLANE, TRAIN, ROAD_TRAVEL),
)
