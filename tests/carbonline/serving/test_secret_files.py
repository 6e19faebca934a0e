"""Each process looks at every file of its settings that holds a secret, and at no other."""

from pathlib import Path

import pytest

from carbonline.serving.config_file import configured
from carbonline.serving.declared_settings import PREFIX, Setting
from carbonline.serving.secret_files import exposed_files
from gateway_service.settings import SETTINGS as GATEWAY_SETTINGS
from scheduler_service.settings import SETTINGS as SCHEDULER_SETTINGS
from tests.carbonline.serving.processes import line_like, process
from worker_service.settings import SETTINGS as WORKER_SETTINGS

SETTINGS: dict[str, tuple[Setting, ...]] = {
    "scheduler": SCHEDULER_SETTINGS,
    "gateway": GATEWAY_SETTINGS,
    "worker": WORKER_SETTINGS["worker"],
    "ledger": WORKER_SETTINGS["ledger"],
}
# What anybody may read. A file of settings may hold a password, or none.
PUBLIC = {
    *("TLS_CERT_FILE", "TLS_CLIENT_CA_FILE", "CLIENT_CERTIFICATES_FILE", "TLS_CA", "TLS_CERT"),
    *("JWT_KEYS", "JOB_TYPES_FILE", "CONFIG_FILE", "BLOB_FOLDER"),
}


def named(process: str, **given: str | Path) -> dict[str, str]:
    """Path by the variable that names it, of the exposed files of a process."""
    environment = {f"{PREFIX}{name}": str(value) for name, value in given.items()}
    found = configured(environment, process, SETTINGS[process])
    exposed = exposed_files(found, SETTINGS[process])
    return {one.named_by.removeprefix(PREFIX): str(one.file) for one in exposed}


@pytest.fixture
def open_file(tmp_path: Path) -> Path:
    path = tmp_path / "open"
    path.write_text("postgresql://user@host/name\n")
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("process", SETTINGS)
def test_every_path_of_a_process_is_looked_at_or_is_public(process: str, open_file: Path) -> None:
    paths = {one.name for one in SETTINGS[process] if one.form.startswith("a path")}
    others = paths - PUBLIC
    assert len(others) > 0
    given = dict.fromkeys(paths - {"CONFIG_FILE"}, open_file)
    assert named(process, **given) == {name: str(open_file) for name in others}
    open_file.chmod(0o640)
    assert named(process, **given) == {}


def test_a_file_of_settings_is_looked_at_if_it_holds_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "carbonline.toml"
    path.touch()
    path.chmod(0o644)
    for text, name, exposed in (
        ('database_url = "postgresql://user:secret@host/name"', "scheduler", True),
        ('database_url = "postgresql://user@host/name"', "scheduler", False),
        ('travel_api_secret = "secret"', "worker", True),
        ('travel_api_secret_file = "/run/secret"', "worker", False),
    ):
        path.write_text(text)
        expected = {"CONFIG_FILE": str(path)} if exposed else {}
        assert named(name, CONFIG_FILE=path) == expected, text


def test_files_that_the_url_of_a_database_names_are_looked_at(open_file: Path) -> None:
    for name in ("sslkey", "passfile"):
        url = f"postgresql://user@host/name?sslrootcert={open_file}&{name}={open_file}"
        assert named("ledger", LEDGER_DATABASE_URL=url) == {"LEDGER_DATABASE_URL": str(open_file)}
    url = f"postgresql://user@host/name?sslrootcert={open_file}"
    assert named("ledger", LEDGER_DATABASE_URL=url) == {}
    assert named("ledger", LEDGER_DATABASE_URL="postgresql://[x?sslkey=a") == {}


async def test_a_gateway_says_so_in_its_log(open_file: Path) -> None:
    settings = {
        "GATEWAY_ADDRESS": "127.0.0.1:0",
        "SCHEDULER_ADDRESS": f"unix:{open_file.parent}/s",
        "LEDGER_ADDRESS": f"unix:{open_file.parent}/l",
        "TLS_CA": str(open_file),
        "TLS_CERT": str(open_file),
        "TLS_KEY": str(open_file),
    }
    async with process("-m", "gateway_service", **settings) as running:
        line = await line_like(running, lambda said: said["event"] == "secret_file_exposed")
    assert (line["level"], line["variable"]) == ("warning", "CARBONLINE_TLS_KEY")
    assert (line["file"], line["to_do"]) == (str(open_file), f"run `chmod 600 {open_file}`")
