"""Several addresses are one target, or a sentence that says why they cannot be."""

import re

import pytest

from carbonline.client.addresses import addresses_of, target_of


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("unix:/run/s", "unix:/run/s"),
        ("example.org:7400", "example.org:7400"),
        ("dns:///schedulers:7400", "dns:///schedulers:7400"),
        ("127.0.0.1:7400,", "127.0.0.1:7400"),
        ("unix:/run/a, unix:/run/b", "unix:/run/a,/run/b"),
        ("127.0.0.1:7400,127.0.0.1:7401", "ipv4:127.0.0.1:7400,127.0.0.1:7401"),
        ("[::1]:7400,[::1]:7401", "ipv6:[::1]:7400,[::1]:7401"),
    ],
)
def test_what_grpc_is_told(address: str, target: str) -> None:
    assert target_of(address) == target
    assert len(addresses_of(address)) == target.count(",") + 1


@pytest.mark.parametrize(
    "address",
    [
        "unix:/run/a,127.0.0.1:7400",
        "127.0.0.1:7400,[::1]:7400",
        "a.example.org:7400,b.example.org:7400",
        "127.0.0.1:7400,127.0.0.1",
        "::1:7400,::1:7401",
        "unix:/run/a,b",
    ],
)
def test_addresses_that_do_not_go_together_are_a_sentence(address: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(address)}: several addresses must"):
        target_of(address)


def test_with_tls_several_servers_have_one_name() -> None:
    with pytest.raises(ValueError, match=r"^10\.0\.0\.1:1,10\.0\.0\.2:1: with TLS, use one name"):
        target_of("10.0.0.1:1,10.0.0.2:1", with_tls=True)
    for one in ("schedulers:7400", "10.0.0.1:1", "unix:/a,unix:/b"):
        assert target_of(one, with_tls=True) == target_of(one)
