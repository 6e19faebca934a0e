"""One caller never takes more than half of the places."""

import pytest

from carbonline.serving.places import NoPlace, Places


def test_who_has_taken_all_of_its_places_leaves_room_for_others() -> None:
    places = Places(2)
    with places.one("a"), places.one("a"):
        with pytest.raises(NoPlace), places.one("a"):
            raise AssertionError
        with places.one("b"), places.one("c"), pytest.raises(NoPlace), places.one("d"):
            raise AssertionError
        with places.one("b"):
            assert places.taken == 3
    assert places.taken == 0
    with places.one("a"):
        assert places.taken == 1
