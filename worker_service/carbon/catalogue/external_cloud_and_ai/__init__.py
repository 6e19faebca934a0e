"""Clouds and AI services bought outside."""

from worker_service.carbon.catalogue.external_cloud_and_ai.external_ai import EXTERNAL_AI
from worker_service.carbon.catalogue.external_cloud_and_ai.external_clouds import EXTERNAL_CLOUDS
from worker_service.carbon.declarations import Module

EXTERNAL_CLOUD_AND_AI = Module(
    id=7,
    name="external_cloud_and_ai",
    types=(
        EXTERNAL_CLOUDS,
        EXTERNAL_AI,
    ),
)
