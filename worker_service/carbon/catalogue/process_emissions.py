"""Gases released by processes. Not yet supported."""

from worker_service.carbon.declarations import Module, UndeclaredType

PROCESS_EMISSIONS = Module(
    id=8,
    name="process_emissions",
    types=(UndeclaredType(50, "process_emissions"),),
)
