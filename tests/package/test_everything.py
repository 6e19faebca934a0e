"""An installed wheel is the whole product: its demo needs no clone."""

import re
from pathlib import Path

from carbonline.command.demo import EXPECTED_KG
from tests.package.environments import Environment


def test_the_demo_runs_in_an_empty_folder_and_gives_its_total(
    everything: Environment, tmp_path: Path
) -> None:
    typed = everything.run("carbonline", "demo", cwd=tmp_path)
    assert typed.returncode == 0, typed
    (line,) = re.findall(r"^ *all .*$", typed.stdout, re.MULTILINE)
    assert f"{EXPECTED_KG:,.3f}" in line.split()
    assert "NOTE" not in typed.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["build"]
