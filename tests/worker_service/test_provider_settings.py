"""What the environment must say of a service, and what no message repeats."""

from pathlib import Path

import pytest

from carbonline.serving.settings import SettingsWrong
from tests.worker_service.providers.fake_travel_api import SECRET, FakeTravelApi
from worker_service.settings import Settings, read_settings

PREFIX = "CARBONLINE_TRAVEL_API_"
WORKER = {
    "CARBONLINE_LEDGER_DATABASE_URL": "postgresql://x",
    "CARBONLINE_SCHEDULER_ADDRESS": "unix:s",
}
ALL = WORKER | FakeTravelApi(port=1234).environment()


def read(**changes: str) -> Settings:
    return read_settings(ALL | {PREFIX + name: value for name, value in changes.items()})


def faults(**changes: str) -> str:
    with pytest.raises(SettingsWrong) as raised:
        read(**changes)
    assert SECRET not in str(raised.value)
    return str(raised.value)


def test_a_worker_without_the_address_of_a_service_has_no_such_provider() -> None:
    assert read_settings(WORKER).travel_api is None
    assert read_settings(ALL | {"CARBONLINE_LEDGER_ADDRESS": "unix:l"}, "ledger").travel_api is None


def test_a_secret_is_given_or_in_a_file_and_is_not_part_of_what_is_shown(tmp_path: Path) -> None:
    given = read().travel_api
    assert given is not None
    assert given.secret.read() == SECRET
    assert SECRET not in repr(read())
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", "utf-8")
    of_file = read(SECRET="", SECRET_FILE=str(file)).travel_api
    assert of_file is not None
    assert of_file.secret.read() == SECRET
    assert "SECRET_FILE: both are set" in faults(SECRET_FILE=str(file))
    assert "CARBONLINE_TRAVEL_API_URL needs one" in faults(SECRET="")


@pytest.mark.parametrize("name", ["DATASOURCE", "USER", "CLIENT_ID", "SECRET_ID"])
def test_what_a_service_needs_is_named(name: str) -> None:
    assert f"{PREFIX}{name} is missing: {PREFIX}URL needs it" in faults(**{name: " "})


@pytest.mark.parametrize(
    "url",
    [
        "http://travel.example.org",
        "ftp://travel.example.org",
        "travel.example.org",
        "https://",
        f"https://someone:{SECRET}@travel.example.org",
        f"https://travel.example.org/?password={SECRET}",
        "https://[",
    ],
)
def test_credentials_travel_encrypted_or_not_at_all(url: str) -> None:
    assert f"{PREFIX}URL must be https://HOST" in faults(URL=url)


@pytest.mark.parametrize("url", ["https://travel.example.org", "http://localhost:8080/base"])
def test_an_address_that_is_safe_is_taken(url: str) -> None:
    access = read(URL=url).travel_api
    assert access is not None
    assert access.url == url


def test_a_directory_of_units_needs_a_user_and_a_password() -> None:
    prefix = "CARBONLINE_UNIT_DIRECTORY_"
    given = WORKER | {f"{prefix}URL": "https://units.example.org/units"}
    with pytest.raises(SettingsWrong) as raised:
        read_settings(given)
    assert f"{prefix}USER is missing: {prefix}URL needs it" in raised.value.faults
    assert f"set {prefix}PASSWORD or {prefix}PASSWORD_FILE: {prefix}URL needs one" in (
        raised.value.faults
    )
    access = read_settings(given | {f"{prefix}USER": "me", f"{prefix}PASSWORD": SECRET})
    assert access.unit_directory is not None
    assert access.unit_directory.password.read() == SECRET
    assert access.unit_directory.first_page == 0
    given |= {f"{prefix}USER": "me", f"{prefix}PASSWORD": SECRET, f"{prefix}FIRST_PAGE": "none"}
    without_pages = read_settings(given).unit_directory
    assert without_pages is not None
    assert without_pages.first_page is None
    assert SECRET not in repr(access)
