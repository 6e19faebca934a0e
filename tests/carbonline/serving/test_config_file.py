"""Settings from a TOML file: who reads which key, what comes first, and what is wrong with one."""

from pathlib import Path

import pytest

from carbonline.serving.config_file import CONFIG_FILE, Configured, configured
from carbonline.serving.declared_settings import BUILD_ID, LEASE_SECONDS, METRICS_PORT, Setting
from carbonline.serving.settings import SettingsWrong

HOSTS = Setting("HOSTS", "names separated by commas", "For tests.")
SETTINGS = (LEASE_SECONDS, METRICS_PORT, BUILD_ID, HOSTS, CONFIG_FILE)


def found(tmp_path: Path, text: str | bytes, **environment: str) -> Configured:
    path = tmp_path / "carbonline.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    given = {f"CARBONLINE_{name}": value for name, value in environment.items()}
    return configured({CONFIG_FILE.variable: str(path), **given}, "worker", SETTINGS)


def value(of: Configured, setting: Setting) -> str:
    return of.environment[setting.variable]


def test_a_table_comes_before_the_top_and_the_environment_before_both(tmp_path: Path) -> None:
    text = "lease_seconds = 30\nmetrics_port = 1\n[worker]\nlease_seconds = 40\nmetrics_port = 2\n"
    of = found(tmp_path, text, METRICS_PORT="3")
    assert (value(of, LEASE_SECONDS), value(of, METRICS_PORT)) == ("40", "3")
    assert of.sources[LEASE_SECONDS.variable] == str(tmp_path / "carbonline.toml")
    assert of.sources[METRICS_PORT.variable] == "environment"


def test_an_empty_variable_leaves_what_the_file_says(tmp_path: Path) -> None:
    assert value(found(tmp_path, "build_id = 'b'", BUILD_ID=" "), BUILD_ID) == "b"


@pytest.mark.parametrize(
    ("written", "read"),
    [("true", "1"), ("false", ""), ("2.5", "2.5"), ("['a', 'b']", "a,b"), ('"ü"', "ü")],
)
def test_values_are_those_of_the_environment(tmp_path: Path, written: str, read: str) -> None:
    assert value(found(tmp_path, f"hosts = {written}"), HOSTS) == read


def test_what_others_read_is_left_to_them(tmp_path: Path) -> None:
    of = found(tmp_path, "sweep_seconds = 5\n[scheduler]\nnonsense = 1\n", OTHER="1")
    assert list(of.unread) == ["sweep_seconds", "CARBONLINE_OTHER"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "[worker]\nlease_secnds = 1",
            "worker.lease_secnds is not a setting of this process; did ",
        ),
        ("[wroker]\nlease_seconds = 1", "[wroker] is none of the tables [scheduler], [ledger]"),
        ("lease_seconds = 2026-01-01", "lease_seconds must be text, a number, true, false"),
        (r'hosts = ["a\u0000"]', "hosts has a character NUL: leave it out"),
        ("hosts = [1]", "hosts must be text, a number, true, false, or a list of texts"),
        ("lease_seconds = ", "is not TOML"),
        (b"build_id = '\xff'", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str | bytes, fault: str) -> None:
    with pytest.raises(SettingsWrong) as wrong:
        found(tmp_path, text)
    assert fault in str(wrong.value)
    assert "carbonline.toml" in str(wrong.value)


def test_a_file_that_is_not_there_is_a_fault_of_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"^CARBONLINE_CONFIG_FILE .*: No such file"):
        configured({CONFIG_FILE.variable: str(tmp_path / "no.toml")}, "worker", SETTINGS)
