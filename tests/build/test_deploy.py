"""The files of deploy/, beside the code that they start and the schemas of those who read them."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import kubernetes_validate
import pytest
import yaml

from carbonline.command.main import main as carbonline_command
from carbonline.serving.declared_settings import CLIENT_CONNECTIONS
from gateway_service import server as gateway
from gateway_service import settings as gateway_settings
from scheduler_service import settings as scheduler_settings
from tests.build.compose_file import PREFIX, REPOSITORY, compose, settings_names
from tests.build.compose_file import environment_of as environment_of_service
from worker_service import settings as worker_settings

DEPLOY = REPOSITORY / "deploy"
KUBERNETES, SYSTEMD = DEPLOY / "kubernetes", DEPLOY / "systemd"
PROCESSES: Mapping[str, tuple[ModuleType, tuple[str, ...]]] = {
    "scheduler": (scheduler_settings, ()),
    "ledger": (worker_settings, ("ledger",)),
    "worker": (worker_settings, ("worker",)),
    "gateway": (gateway_settings, ()),
}
SECRETS = {f"{PREFIX}DATABASE_URL", f"{PREFIX}LEDGER_DATABASE_URL"}
UNITS = {
    "scheduler": "carbonline-scheduler.service",
    "ledger": "carbonline-ledger.service",
    "worker": "carbonline-worker@.service",
    "gateway": "carbonline-gateway.service",
}
NO_KUBECTL = shutil.which("kubectl") is None
NO_SYSTEMD = shutil.which("systemd-analyze") is None


def objects() -> Iterator[Mapping[str, Any]]:
    for path in sorted(KUBERNETES.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


OBJECTS = list(objects())


def of_kind(kind: str) -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


DEPLOYMENTS = of_kind("Deployment")
PODS = {**DEPLOYMENTS, **of_kind("Job")}


def container_of(name: str) -> Any:
    (container,) = PODS[name]["spec"]["template"]["spec"]["containers"]
    return container


def environment_of(name: str) -> dict[str, str]:
    """What a container finds in its environment; secrets have an example of a value."""
    container, maps = container_of(name), of_kind("ConfigMap")
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= maps[source["configMapRef"]["name"]]["data"]
    for one in container.get("env", []):
        found[one["name"]] = one.get("value", "postgresql://user@host/name")
    return found


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_kubernetes_knows_every_field(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, "1.30", strict=True)


def test_all_files_are_applied() -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == files


@pytest.mark.skipif(NO_KUBECTL, reason="kubectl is not installed")
def test_kustomize_renders_them() -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", str(KUBERNETES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rendered = list(yaml.safe_load_all(done.stdout))
    assert len(rendered) == len(OBJECTS)
    for one in rendered:
        kubernetes_validate.validate(one, "1.30", strict=True)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_pod_s_process_reads_every_variable_and_finds_nothing_wrong(name: str) -> None:
    module, role = PROCESSES[name]
    given = environment_of(name)
    assert set(given) <= settings_names(module, given, *role)


@pytest.mark.parametrize("name", PODS)
def test_a_pod_may_do_as_little_as_it_needs(name: str) -> None:
    pod, container = PODS[name]["spec"]["template"]["spec"], container_of(name)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} == set(container["resources"]["requests"])
    assert "memory" in container["resources"]["limits"]
    assert pod["serviceAccountName"] == "carbonline"
    for one in container["env"]:
        assert (one["name"] in SECRETS) == ("valueFrom" in one), "secrets come from secrets"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_is_probed_where_it_serves_and_has_time_to_drain(name: str) -> None:
    container, environment = container_of(name), environment_of(name)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert str(ports["metrics"]) == environment[f"{PREFIX}METRICS_PORT"]
    assert environment[f"{PREFIX}METRICS_HOST"] == "0.0.0.0"
    paths = {kind: container[kind]["httpGet"] for kind in ("livenessProbe", "readinessProbe")}
    assert [one["path"] for one in paths.values()] == ["/livez", "/readyz"]
    assert {one["port"] for one in paths.values()} == {"metrics"}
    grace = float(environment.get(f"{PREFIX}DRAIN_GRACE_SECONDS", "20"))
    pod = PODS[name]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= grace + 10
    assert (
        of_kind("PodDisruptionBudget")[name]["spec"]["selector"]
        == DEPLOYMENTS[name]["spec"]["selector"]
    )


def test_addresses_are_those_of_the_services_that_policies_let_in() -> None:
    services, policies = of_kind("Service"), of_kind("NetworkPolicy")
    for name in ("scheduler", "ledger"):
        own = environment_of(name)[f"{PREFIX}{name.upper()}_ADDRESS"]
        (port,) = services[name]["spec"]["ports"]
        assert own == f"0.0.0.0:{port['port']}"
        callers = [
            one
            for one in ("worker", "gateway")
            if f"{PREFIX}{name.upper()}_ADDRESS" in environment_of(one)
        ]
        for caller in callers:
            called = environment_of(caller)[f"{PREFIX}{name.upper()}_ADDRESS"]
            assert called == f"{name}:{port['port']}"
            assert caller in yaml.safe_dump(policies[name]["spec"]["ingress"])
    assert policies["nobody-else"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def unit_environment(unit: Path, instance: str = "9111") -> dict[str, str]:
    """What the unit's process finds in its environment."""
    text = unit.read_text()
    files = re.findall(r"^EnvironmentFile=/etc/carbonline/(.+)$", text, re.MULTILINE)
    lines = [line for name in files for line in lines_of(SYSTEMD / "etc" / name)]
    lines += re.findall(r"^Environment=(.+)$", text.replace("%i", instance), re.MULTILINE)
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_s_process_reads_what_it_is_given_and_has_time_to_drain(name: str) -> None:
    unit = SYSTEMD / UNITS[name]
    module, role = PROCESSES[name]
    given = unit_environment(unit)
    assert set(given) <= settings_names(module, given, *role)
    (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
    assert float(stop) >= float(given.get(f"{PREFIX}DRAIN_GRACE_SECONDS", "20")) + 10
    started = " ".join(["python", "-m", *container_of(name)["args"][2:]])
    assert f"ExecStart=/opt/carbonline/bin/{started}\n" in unit.read_text()


def test_units_of_one_machine_have_ports_of_their_own_for_metrics() -> None:
    docs = (REPOSITORY / "docs" / "deploying.md").read_text(encoding="utf-8")
    workers = re.findall(r"carbonline-worker@(\w+)", docs)
    assert len(workers) >= 2
    named = [(unit, "") for name, unit in UNITS.items() if name != "worker"]
    named += [(UNITS["worker"], instance) for instance in workers]
    ports = [
        unit_environment(SYSTEMD / unit, instance)[f"{PREFIX}METRICS_PORT"]
        for unit, instance in named
    ]
    assert len(set(ports)) == len(named), ports


@pytest.mark.parametrize("name", ["scheduler", "ledger", "gateway"])
def test_a_server_of_systemd_may_open_the_connections_that_it_bounds(name: str) -> None:
    """A file for each, and as many for its own use: systemd's default is 1,024."""
    text = (SYSTEMD / UNITS[name]).read_text()
    (files,) = re.findall(r"^LimitNOFILE=(\d+)$", text, re.MULTILINE)
    assert int(files) >= 2 * max(CLIENT_CONNECTIONS, gateway.CONNECTIONS_MAX)


@pytest.mark.parametrize("name", ["ledger", "worker"])
def test_a_unit_may_write_its_files_also_where_machines_share_them(name: str) -> None:
    text = (SYSTEMD / UNITS[name]).read_text()
    assert "ProtectSystem=strict\n" in text
    (state,) = re.findall(r"^StateDirectory=(.+)$", text, re.MULTILINE)
    folder = unit_environment(SYSTEMD / UNITS[name])[f"{PREFIX}BLOB_FOLDER"]
    assert Path(folder).is_relative_to(Path("/var/lib") / state)
    # A folder that is not there keeps no unit from its start.
    (shared,) = re.findall(r"^ReadWritePaths=-(.+)$", text, re.MULTILINE)
    docs = (REPOSITORY / "docs" / "deploying.md").read_text(encoding="utf-8")
    assert f"`{shared}`" in docs
    assert "`ReadWritePaths`" in docs


def test_every_gateway_knows_the_proxy_before_it() -> None:
    given = {
        "Kubernetes": environment_of("gateway"),
        "systemd": unit_environment(SYSTEMD / UNITS["gateway"]),
        "Compose": environment_of_service("gateway"),
    }
    for where, environment in given.items():
        assert gateway_settings.read_settings(environment).proxies, where


def test_the_migration_of_systemd_is_a_command_and_knows_its_database() -> None:
    unit = SYSTEMD / "carbonline-migrate.service"
    assert "ExecStart=/opt/carbonline/bin/carbonline migrate\n" in unit.read_text()
    assert "migrate" in carbonline_command.commands
    assert set(unit_environment(unit)) == {f"{PREFIX}DATABASE_URL"}


@pytest.mark.skipif(NO_SYSTEMD, reason="systemd-analyze is not installed")
def test_systemd_knows_every_line() -> None:
    units = sorted(SYSTEMD.glob("*.service")) + sorted(SYSTEMD.glob("*.target"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in done.stderr.splitlines() if "carbonline" in line]
    # The programs are on machines that run them.
    assert [line for line in told if "is not executable" not in line] == []


class _Reset(yaml.SafeLoader):
    """Reads `!reset`, by which a later file of compose takes something away."""


_Reset.add_constructor("!reset", lambda _loader, _node: None)


def loader_of_changes() -> type[yaml.SafeLoader]:
    """What reads a later file of compose; all that it takes away is None."""
    return _Reset


@pytest.mark.parametrize("later", [(), ("deploy/compose/external-postgres.yml",)])
def test_podman_compose_reads_the_files(later: tuple[str, ...], tmp_path: Path) -> None:
    # It asks for the version of an engine before it reads, and for nothing else.
    engine = tmp_path / "podman"
    engine.write_text("#!/bin/sh\necho podman version 5.0.0\n")
    engine.chmod(0o700)
    files = [word for name in ("docker-compose.yml", *later) for word in ("--file", name)]
    done = subprocess.run(
        [sys.executable, "-m", "podman_compose", *files, "config"],
        cwd=REPOSITORY,
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "POSTGRES_PASSWORD": "secret",
            "DATABASE_URL": "postgresql://user@db.example.org/name",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    read = yaml.safe_load(done.stdout)["services"]
    # What a profile alone starts is left out.
    own = {name for name, one in compose()["services"].items() if "profiles" not in one}
    assert set(read) == own - ({"postgres"} if later else set())
    url = read["scheduler"]["environment"][f"{PREFIX}DATABASE_URL"]
    assert url.partition("@")[2] == ("db.example.org/name" if later else "postgres/carbonline")
    assert ("postgresql-ca.pem" in done.stdout) == bool(later)


def test_an_external_postgresql_takes_the_place_of_the_own_one() -> None:
    text = (DEPLOY / "compose" / "external-postgres.yml").read_text()
    changed = yaml.load(text, _Reset)["services"]
    base = compose()["services"]
    with_database = {
        name for name, one in base.items() if f"{PREFIX}DATABASE_URL" in one.get("environment", {})
    }
    assert {name for name, one in changed.items() if one and "environment" in one} == with_database
    assert changed["postgres"] is None
    waits = {name for name, one in base.items() if "postgres" in one.get("depends_on", {})}
    assert waits == {name for name, one in changed.items() if one and "depends_on" in one}
