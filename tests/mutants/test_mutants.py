"""Every mutant still fits the code and names a test that exists."""

from collections.abc import Iterator

from tests.mutants.run import ROOT, Mutant, applies, mutants


def complaints_about(mutant: Mutant) -> Iterator[str]:
    if not applies(mutant, ROOT):
        yield f"{mutant.path.name} no longer applies: renew it"
    if not mutant.tests:
        yield f"{mutant.path.name} names no test"
    for test in mutant.tests:
        path, _, name = test.partition("::")
        if not (ROOT / path).exists():
            yield f"{mutant.path.name} names {path}, which is not there"
        elif name.partition("[")[0] not in (ROOT / path).read_text("utf-8"):
            yield f"{mutant.path.name} names {test}, which {path} does not have"


# All in one test: a thousand tests, each of one patch, cost more than their looks.
def test_each_patch_applies_and_its_tests_exist() -> None:
    found = mutants()
    assert len(found) > 1000
    complaints = "\n".join(one for mutant in found for one in complaints_about(mutant))
    assert not complaints, complaints
