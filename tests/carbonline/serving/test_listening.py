"""Where a server may listen, and what is said where it may or can not."""

import asyncio
from pathlib import Path

import pytest

from carbonline.serving.listening import fault_of_address, options
from tests.carbonline.serving.processes import PROGRAMS, SECONDS_MAX, process, settings_of

TOKEN = Path("token")


@pytest.mark.parametrize(
    ("address", "token_file", "said"),
    [
        ("unix:/run/s", None, ""),
        ("127.0.0.1:7400", TOKEN, ""),
        ("localhost:7400", TOKEN, ""),
        ("[::1]:7400", TOKEN, ""),
        ("127.0.0.1:7400", None, "THE_ADDRESS 127.0.0.1:7400: a TCP port needs CARBONLINE_TOKEN"),
        ("0.0.0.0:7400", TOKEN, "THE_ADDRESS 0.0.0.0:7400: without TLS only loopback addresses"),
        ("[::]:7400", TOKEN, "THE_ADDRESS [::]:7400: without TLS only loopback addresses"),
        ("example.org:7400", TOKEN, "THE_ADDRESS example.org:7400: without TLS only loopback"),
        ("", TOKEN, "THE_ADDRESS : must be unix:PATH or host:port"),
        (
            "unix:/run/a,unix:/run/b",
            None,
            "THE_ADDRESS unix:/run/a,unix:/run/b: a server listens on",
        ),
    ],
)
def test_only_this_machine_is_served_and_a_port_with_a_token_only(
    address: str, token_file: Path | None, said: str
) -> None:
    fault = fault_of_address("THE_ADDRESS", address, knows_callers=token_file is not None)
    assert fault.startswith(said)
    assert bool(fault) is bool(said)
    # With TLS, in the server or in front of it, the network is served; callers must be known there,
    # too.
    with_tls = fault_of_address(
        "THE_ADDRESS", address, knows_callers=token_file is not None, is_encrypted=True
    )
    assert with_tls == ("" if "without TLS" in said else fault)


@pytest.mark.parametrize("name", ["scheduler", "ledger"])
async def test_a_process_that_cannot_listen_says_why_in_a_line_and_ends_with_2(
    database_url: str, tmp_path: Path, name: str
) -> None:
    settings = settings_of(database_url, tmp_path)
    settings[f"{name.upper()}_ADDRESS"] = "unix:/absent/folder/s"
    async with process(*PROGRAMS[name], **settings) as running:
        _, said = await asyncio.wait_for(running.communicate(), SECONDS_MAX)
        assert running.returncode == 2
        assert said.decode().count("\n") == 1
        assert f"{name}: cannot listen on unix:/absent/folder/s" in said.decode()


def test_a_connection_is_closed_at_its_age_or_never() -> None:
    aging = dict(options(1800.0, 90.0))
    assert aging["grpc.max_connection_age_ms"] == 1_800_000
    assert aging["grpc.max_connection_age_grace_ms"] == 90_000
    assert "grpc.max_connection_age_ms" not in dict(options(0.0, 90.0))
