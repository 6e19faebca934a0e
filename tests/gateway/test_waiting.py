"""Of the connections that ask for nothing, the one that has waited longest gives way."""

import asyncio

from gateway_service.access.waiting import Waiting


class Connection(asyncio.Transport):
    """Tells whether it was ended. Its protocol hears of it later, as asyncio has it."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = False

    def abort(self) -> None:
        assert not self.ended
        self.ended = True


def test_the_one_that_has_waited_longest_is_ended_and_no_other() -> None:
    waiting = Waiting()
    first, second, third = (Connection() for _ in range(3))
    for one in (first, second, third, first):
        waiting.add(one)
    waiting.end_one()
    assert [one.ended for one in (first, second, third)] == [False, True, False]
    waiting.remove(third)
    waiting.end_one()
    assert [one.ended for one in (first, second, third)] == [True, True, False]


def test_who_has_given_way_takes_nobodys_place_until_the_server_has_heard_of_it() -> None:
    """A neighbour that came meanwhile was refused, since the ended ones were still counted."""
    waiting = Waiting()
    first, second = Connection(), Connection()
    waiting.add(first)
    waiting.add(second)
    for ending in (1, 2, 2):
        waiting.end_one()
        assert waiting.ending == ending
        # What still comes of it makes it none that waits.
        waiting.add(first)
    waiting.lost(first)
    assert waiting.ending == 1
    waiting.lost(second)
    assert waiting.ending == 0
