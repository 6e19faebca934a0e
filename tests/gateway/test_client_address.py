"""Whose address is believed: only what our own proxies have written."""

import pytest
from starlette.requests import HTTPConnection

from gateway_service.access.client_address import client_address
from gateway_service.access.networks import networks_of

PROXIES = networks_of("127.0.0.1, 10.0.0.0/8, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.9", "198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("fd00::1", ["2001:db8:0:1::7"], "2001:db8:0:1::/64"),
        ("10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        # Nobody's word but a proxy's.
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
        # A proxy that does not say for whom it asks, or asks for itself.
        ("10.0.0.1", [], ""),
        ("10.0.0.1", ["unknown"], ""),
        ("10.0.0.1", ["10.0.0.2"], ""),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_an_address_is_that_before_our_last_proxy(
    peer: str, forwarded: list[str], address: str
) -> None:
    assert client_address(asked(peer, forwarded), PROXIES) == address
    assert client_address(asked(peer, forwarded), ()) == ""


def asked(peer: str, forwarded: list[str]) -> HTTPConnection:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    client = (peer, 1) if peer else None
    return HTTPConnection({"type": "http", "client": client, "headers": headers})
