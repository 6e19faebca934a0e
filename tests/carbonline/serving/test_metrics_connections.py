"""Of many who send no request, those of the address that has most give way first, and a request
is small.
"""

import socket

import pytest

from carbonline.serving.metrics_connections import Asking, Received


def test_the_address_that_has_most_gives_way() -> None:
    asking = Asking()
    pairs = [socket.socketpair() for _ in range(4)]
    try:
        for (ours, _), address in zip(pairs, ("quiet", "loud", "loud", "loud"), strict=True):
            asking.add(ours, address)
        assert [asking.end_one(), asking.end_one()] == [True, True]
        for _, theirs in pairs:
            theirs.setblocking(False)
        assert [pairs[1][1].recv(1), pairs[2][1].recv(1)] == [b"", b""]
        for number in (0, 3):
            with pytest.raises(BlockingIOError):
                pairs[number][1].recv(1)
    finally:
        for ours, theirs in pairs:
            ours.close()
            theirs.close()


def test_of_a_request_no_more_is_received_than_one_has() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"a" * 1_000)
        theirs.shutdown(socket.SHUT_WR)
        received, buffer = Received(ours, 10.0, 700), bytearray(512)
        assert [received.readinto(buffer), received.readinto(buffer)] == [512, 188]
        with pytest.raises(TimeoutError):
            received.readinto(buffer)
