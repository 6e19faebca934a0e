"""One caller never takes more than half of the places, nor one tenant all of them."""

from contextlib import ExitStack

import pytest

from carbonline.serving.places import NoPlace, Places

OURS, OTHERS = ("ours",), ("others",)


def test_who_has_taken_all_of_its_places_leaves_room_for_others() -> None:
    places = Places(2)
    with places.one("a", OURS), places.one("a", OURS):
        with pytest.raises(NoPlace), places.one("a", OTHERS):
            raise AssertionError
        with (
            places.one("b", OTHERS),
            places.one("c", OTHERS),
            pytest.raises(NoPlace),
            places.one("d", OTHERS),
        ):
            raise AssertionError
        with places.one("b", OTHERS):
            assert places.taken == 3
    assert places.taken == 0
    with places.one("a", OURS):
        assert places.taken == 1


def test_all_callers_of_one_tenant_leave_room_for_other_tenants() -> None:
    places = Places(4)
    with ExitStack() as taken:
        for caller in "aaabbb":
            taken.enter_context(places.one(caller, OURS))
        with pytest.raises(NoPlace), places.one("c", OURS):
            raise AssertionError
        for caller in "de":
            taken.enter_context(places.one(caller, OTHERS))
        with pytest.raises(NoPlace), places.one("e", OTHERS):
            raise AssertionError
    with places.one("c", OURS):
        assert places.taken == 1
