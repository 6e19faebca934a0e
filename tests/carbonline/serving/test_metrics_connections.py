"""Of many who send no request, those of the address that has most give way first."""

import socket

import pytest

from carbonline.serving.metrics_connections import Asking


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
