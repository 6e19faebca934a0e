"""A client in another language is generated from the protos alone, without managed options."""

import importlib
import pkgutil

import pytest

import carbonline.v1

GENERATED = [
    found.name
    for found in pkgutil.iter_modules(carbonline.v1.__path__)
    if found.name.endswith("_pb2")
]


@pytest.mark.parametrize("name", GENERATED)
def test_a_proto_names_its_package_in_go_java_and_csharp(name: str) -> None:
    options = importlib.import_module(f"carbonline.v1.{name}").DESCRIPTOR.GetOptions()
    assert options.go_package == "carbonline/v1;carbonlinev1"
    assert (options.java_package, options.java_multiple_files) == ("carbonline.v1", True)
    assert options.csharp_namespace == "Carbonline.V1"
