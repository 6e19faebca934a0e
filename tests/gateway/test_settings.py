"""Where a gateway may listen, and with what it calls the services."""

from pathlib import Path

import pytest

from carbonline.serving.settings import SettingsWrong
from gateway_service.settings import Settings, read_settings

WORDS = "a mesh or proxy encrypts"


def settings_of(**given: str) -> Settings:
    own = {"GATEWAY_ADDRESS": "127.0.0.1:0", "SCHEDULER_ADDRESS": "h:1", "LEDGER_ADDRESS": "h:2"}
    return read_settings({f"CARBONLINE_{name}": value for name, value in {**own, **given}.items()})


def fault_of(**given: str) -> str:
    with pytest.raises(SettingsWrong) as wrong:
        settings_of(**given)
    return str(wrong.value)


@pytest.mark.parametrize(
    ("address", "host"),
    [("127.0.0.1:1", "127.0.0.1"), ("[::1]:1", "::1"), ("localhost:1", "localhost")],
)
def test_the_own_machine_needs_no_more_words(address: str, host: str) -> None:
    settings = settings_of(GATEWAY_ADDRESS=address)
    assert (settings.host, settings.port, settings.tls) == (host, 1, None)


@pytest.mark.parametrize("address", ["0.0.0.0:7410", "[::]:7410", "192.0.2.1:7410"])
def test_the_network_needs_the_words_and_the_names_of_the_proxy(address: str) -> None:
    assert "without TLS only loopback addresses are served" in fault_of(GATEWAY_ADDRESS=address)
    fault = fault_of(GATEWAY_ADDRESS=address, WITHOUT_TLS=WORDS)
    assert "set CARBONLINE_GATEWAY_HOSTS to the names" in fault
    named = settings_of(
        GATEWAY_ADDRESS=address, WITHOUT_TLS=WORDS, GATEWAY_HOSTS="Carbon.example.org, other"
    )
    assert named.port == 7410
    assert named.hosts == ("carbon.example.org", "other")


def test_the_proxies_are_addresses_and_networks() -> None:
    settings = settings_of(
        GATEWAY_PROXIES=" 127.0.0.1,10.0.0.0/8 ", GATEWAY_STREAMS_OF_ADDRESS_MAX="7"
    )
    assert [str(one) for one in settings.proxies] == ["127.0.0.1/32", "10.0.0.0/8"]
    assert settings.streams_of_address_max == 7
    assert "CARBONLINE_GATEWAY_PROXIES must be addresses" in fault_of(GATEWAY_PROXIES="a.proxy")
    assert "has host bits set" in fault_of(GATEWAY_PROXIES="10.0.0.1/8")


@pytest.mark.parametrize("address", ["7410", "127.0.0.1", "127.0.0.1:70000", "a.host:1", "unix:x"])
def test_what_has_no_address_is_refused(address: str) -> None:
    assert "must be an address of this machine and a port" in fault_of(GATEWAY_ADDRESS=address)


def test_other_words_and_half_a_certificate_are_said() -> None:
    fault = fault_of(WITHOUT_TLS="yes", TLS_CERT="cert.pem")
    assert f'CARBONLINE_WITHOUT_TLS must be "{WORDS}" or empty' in fault
    assert "CARBONLINE_TLS_CA: a client's certificate is used with TLS only" in fault


def test_the_files_of_tls_are_taken() -> None:
    settings = settings_of(TLS_CA="ca.pem", TLS_CERT="c.pem", TLS_KEY="k.pem")
    assert settings.tls is not None
    assert (settings.tls.ca, settings.tls.key) == (Path("ca.pem"), Path("k.pem"))
