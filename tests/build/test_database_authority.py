"""Each shipped URL of a database names the authority of its server, and the file is there."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.build.compose_file import REPOSITORY, VARIABLE
from tests.build.test_deploy import (
    DEPLOY,
    PODS,
    SECRETS,
    SYSTEMD,
    container_of,
    lines_of,
    loader_of_changes,
)

DEPLOYING = (REPOSITORY / "docs/deploying.md").read_text(encoding="utf-8")
SHIPPED = sorted(
    path
    for pattern in ("README.md", "docker-compose*.yml", "docs/*.md", "deploy/**/*")
    for path in REPOSITORY.glob(pattern)
    if path.is_file()
)
# A line of a shell may go on in the next one.
GOES_ON = re.compile(r"'\\\n#? *'")
VERIFIES = re.compile(r"[^\s`'\"]*sslmode=verify-full[^\s`'\"]*")
EXTERNAL = DEPLOY / "compose" / "external-postgres.yml"


def urls_of(path: Path) -> list[str]:
    """What asks PostgreSQL for its certificate."""
    return VERIFIES.findall(GOES_ON.sub("", path.read_text(encoding="utf-8")))


def authority_of(url: str) -> str:
    (path,) = parse_qs(urlsplit(url).query)["sslrootcert"]
    return path


def test_every_deployment_asks_for_the_certificate() -> None:
    asking = {path.relative_to(REPOSITORY).as_posix() for path in SHIPPED if urls_of(path)}
    assert {
        "deploy/compose/external-postgres.yml",
        "deploy/systemd/etc/database.env",
        "docs/deploying.md",
    } <= asking


@pytest.mark.parametrize("path", [path for path in SHIPPED if urls_of(path)], ids=lambda p: p.name)
def test_who_asks_for_the_certificate_names_its_authority(path: Path) -> None:
    assert [url for url in urls_of(path) if "&sslrootcert=" not in url] == []


def test_pods_with_the_url_have_the_file() -> None:
    (url,) = re.findall(r"^\| `database` \| secret \| `url`: `(\S+)` \|$", DEPLOYING, re.MULTILINE)
    kept = r"^\| `(\S+)` \| config map \| `(\S+)`: the authority of PostgreSQL's certificate \|$"
    ((config_map, key),) = re.findall(kept, DEPLOYING, re.MULTILINE)
    with_url = [
        name for name in PODS if {one["name"] for one in container_of(name)["env"]} & SECRETS
    ]
    assert len(with_url) == 4
    for name in with_url:
        volumes: Any = PODS[name]["spec"]["template"]["spec"]["volumes"]
        names = [
            one["name"] for one in volumes if one.get("configMap", {}).get("name") == config_map
        ]
        mounts = {one["mountPath"]: one for one in container_of(name)["volumeMounts"]}
        mount = mounts[str(Path(authority_of(url)).parent)]
        assert ([mount["name"]], Path(authority_of(url)).name) == (names, key), name


def test_containers_of_compose_with_the_url_have_the_file() -> None:
    text = EXTERNAL.read_text(encoding="utf-8")
    url = VERIFIES.findall(GOES_ON.sub("", text))[0]
    changed = yaml.load(VARIABLE.sub("file", text), loader_of_changes())["services"]
    with_url = {name: one for name, one in changed.items() if one and "environment" in one}
    assert len(with_url) == 4
    for name, service in with_url.items():
        assert f"file:{authority_of(url)}:ro" in service["volumes"], name
    assert {found[0] for found in VARIABLE.findall(text)} == {"DATABASE_URL", "DATABASE_CA"}
    assert "echo 'DATABASE_CA=" in text


def test_units_find_the_file_where_they_may_read() -> None:
    (line,) = lines_of(SYSTEMD / "etc" / "database.env")
    path = authority_of(line.split("=", 1)[1])
    assert Path(path).parent == Path("/etc/carbonline")
    assert f"$ install -m 644 {Path(path).name} {path}\n" in DEPLOYING
