"""The worked examples that an accountant can read, through files, storage and formula."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worker_service.carbon.plane_files import ECONOMY, GOOD, emissions_of, parsed

_PLANE = yaml.safe_load(
    (Path(__file__).parent / "worked_examples" / "plane.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", _PLANE["cases"], ids=lambda case: case["says"])
def test_a_worked_example_of_planes(case: dict[str, Any]) -> None:
    entry = {**dict.fromkeys(GOOD, ""), **GOOD, **case["entry"]}
    if "rejected" in case:
        batch = parsed([entry])
        assert batch.rejected["column"].to_list() == [case["rejected"]]
        assert case.get("reason") in (None, *batch.rejected["reason"])
        assert batch.accepted.is_empty()
        return
    computed = emissions_of([entry], case.get("factors", [ECONOMY]), _PLANE["airports"])
    [outcome] = computed.outcomes.to_dicts()
    assert outcome["outcome"] == case.get("outcome", "computed")
    assert outcome["detail"] == case.get("detail")
    if "kg" not in case:
        assert computed.emissions.is_empty()
        return
    [emission] = computed.emissions.to_dicts()
    near = {"rel": case["within"]} if "within" in case else {"rel": 0, "abs": 5.1e-7}
    assert emission["kg"] == pytest.approx(case["kg"], **near)
    if "km" in case:
        assert emission["additional_value"] == pytest.approx(case["km"], **near)
    else:
        assert emission["additional_value"] is None
    assert emission["emission_type"] == "professional_travel." + case["node"]
    assert emission["scope"] == 3
    assert emission["overridden"] == (outcome["outcome"] == "overridden")
    assert (emission["factor_id"] is None) == emission["overridden"]
