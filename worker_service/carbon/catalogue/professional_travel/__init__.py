"""Trips for work by air, rail and road."""

from worker_service.carbon.catalogue.professional_travel.plane import PLANE
from worker_service.carbon.catalogue.professional_travel.train import TRAIN
from worker_service.carbon.declarations import Module, UndeclaredType

PROFESSIONAL_TRAVEL = Module(
    id=2,
    name="professional_travel",
    types=(PLANE, TRAIN, UndeclaredType(22, "road_travel")),
)
