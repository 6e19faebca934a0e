"""A method of the contract that nobody serves answers UNIMPLEMENTED: none may be forgotten."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

import carbonline.v1
import scheduler_service
import worker_service
from carbonline.serving.auth.roles import ROLES_ALL, roles_allowed
from carbonline.v1 import options_pb2

PACKAGES = (scheduler_service, worker_service)


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


@cache
def servicers_of(generated: type) -> list[type]:
    """The classes of our own that serve it, wherever they are."""
    return [
        member
        for package in PACKAGES
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


METHODS = {
    f"/{service.full_name}/{method.name}": method.name
    for service, _ in SERVICES
    for method in service.methods
}
READS = ("Get", "List", "Watch", "Stat", "Download", "Explain", "Verify")


@pytest.mark.parametrize("method", METHODS)
def test_every_rpc_of_the_contract_says_who_may_call_it(method: str) -> None:
    assert "operator" in roles_allowed(method) <= ROLES_ALL


@pytest.mark.parametrize("method", METHODS)
def test_a_monitor_may_call_what_reads_and_nothing_else(method: str) -> None:
    assert ("monitor" in roles_allowed(method)) == METHODS[method].startswith(READS)


OF_THE_INSTALLATION = (
    "ListWorkers",
    "GetQueueStats",
    "ListNamedBlobs",
    "ListKeptPipelines",
    "GetUncollected",
)


@pytest.mark.parametrize("method", METHODS)
def test_an_auditor_may_call_what_reads_but_not_how_the_installation_runs(method: str) -> None:
    reads = METHODS[method].startswith(READS) and METHODS[method] not in OF_THE_INSTALLATION
    assert ("auditor" in roles_allowed(method)) == reads


@pytest.mark.parametrize("method", METHODS)
def test_every_rpc_of_the_contract_says_how_it_keeps_callers_within_their_scope(
    method: str,
) -> None:
    found = descriptor_pool.Default().FindMethodByName(method.lstrip("/").replace("/", "."))
    assert found.GetOptions().Extensions[options_pb2.scope_check]


@pytest.mark.parametrize("method", METHODS)
def test_a_worker_calls_what_no_gateway_does(method: str) -> None:
    assert not {"worker", "gateway"} <= roles_allowed(method)


def test_an_rpc_that_no_proto_has_is_nobodys() -> None:
    assert roles_allowed("/carbonline.v1.SchedulerService/Reboot") == frozenset()
    assert roles_allowed("/grpc.health.v1.Health/Check") == frozenset()
