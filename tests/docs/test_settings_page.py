"""Every variable of ours stands on one page, whichever process reads it."""

import re

from scheduler_service.settings import SETTINGS
from tests.tidy.tracked_files import REPOSITORY, tracked_files

VARIABLE = re.compile(r"(?<!_)CARBONLINE_[A-Z]+(?:_[A-Z]+)*\b(?!_)")
PAGE = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
ROOMS = (
    "carbonline",
    "scheduler_service",
    "worker_service",
    "docs",
    "docker-compose.yml",
    "README.md",
)

SCALING = (REPOSITORY / "docs" / "scaling.md").read_text(encoding="utf-8")


def test_the_page_on_scaling_says_how_many_connections_a_scheduler_takes() -> None:
    pools = [one for one in SETTINGS if one.unit == "connections"]
    assert len(pools) == 4
    for pool in pools:
        assert f"| {pool.default} (`{pool.variable}`) |" in SCALING


def test_every_variable_that_code_and_docs_name_is_on_the_page() -> None:
    # The scripts of docs/ are the makers', as tests are.
    files = [
        *(path for path in tracked_files(".md", ".yml") if path.parts[0] in ROOMS),
        *(path for path in tracked_files(".py") if path.parts[0] in {*ROOMS} - {"docs"}),
    ]
    named = {
        name
        for path in files
        for name in VARIABLE.findall((REPOSITORY / path).read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert named - set(VARIABLE.findall(PAGE)) == set()
