"""Every mutant still fits the code and names a test that exists."""

import pytest

from tests.mutants.run import ROOT, Mutant, applies, mutants


@pytest.mark.parametrize("mutant", mutants(), ids=lambda m: m.path.stem)
def test_the_patch_applies_and_its_test_exists(mutant: Mutant) -> None:
    assert applies(mutant, ROOT), f"{mutant.path.name} no longer applies: renew it"
    assert mutant.tests
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert (ROOT / path).exists(), path
        assert name.partition("[")[0] in (ROOT / path).read_text("utf-8")
