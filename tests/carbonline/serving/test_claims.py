"""What is said of a caller is whole, or nobody is the caller."""

from typing import Any

import pytest

from carbonline.serving.auth.claims import ClaimWrong, principal_of

GOOD: dict[str, Any] = {
    "sub": "ann",
    "tenants": ["north"],
    "role": "operator",
    "modules": "*",
    "units": ["0828", ""],
}


def test_an_empty_unit_is_not_all_of_them() -> None:
    assert principal_of(GOOD, 7.0).units == frozenset({"0828"})


@pytest.mark.parametrize("claim", GOOD)
def test_no_claim_may_be_left_out(claim: str) -> None:
    with pytest.raises(ClaimWrong, match=claim):
        principal_of({name: one for name, one in GOOD.items() if name != claim}, 7.0)
