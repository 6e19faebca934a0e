"""A method of the contract that nobody serves answers UNIMPLEMENTED: none may be forgotten."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest
from google.protobuf.descriptor import ServiceDescriptor

import carbonline.v1
import scheduler_service
import worker_service
from carbonline.serving.principals import ALLOWED

DOORS = (scheduler_service, worker_service)


def modules_in(package: ModuleType) -> Iterator[ModuleType]:
    """Every module below a package but the programs, which would start."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def services() -> Iterator[tuple[ServiceDescriptor, type]]:
    """Each service of the contract, with the class that protoc made for its servers."""
    for module in modules_in(carbonline.v1):
        if not module.__name__.endswith("_pb2"):
            continue
        stubs = importlib.import_module(f"{module.__name__}_grpc")
        for service in module.DESCRIPTOR.services_by_name.values():
            yield service, getattr(stubs, f"{service.name}Servicer")


SERVICES = list(services())


def servicers_of(generated: type) -> list[type]:
    """The classes of our own that serve it, wherever they are."""
    return [
        member
        for package in DOORS
        for module in modules_in(package)
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, generated) and member is not generated
    ]


def test_the_contract_has_its_four_services() -> None:
    assert {service.name for service, _ in SERVICES} == {
        "BlobService",
        "LedgerService",
        "OperationsService",
        "SchedulerService",
    }


@pytest.mark.parametrize(
    ("method", "generated"),
    [
        pytest.param(method.name, generated, id=f"{service.name}.{method.name}")
        for service, generated in SERVICES
        for method in service.methods
    ],
)
def test_every_rpc_of_the_contract_is_served(method: str, generated: type) -> None:
    answers = getattr(generated, method)
    assert any(getattr(one, method) is not answers for one in servicers_of(generated))


def test_every_rpc_of_the_contract_is_somebodys() -> None:
    assert set(ALLOWED) == {method.name for service, _ in SERVICES for method in service.methods}
