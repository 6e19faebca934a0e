"""docs/python.md and the notebook are run as a reader runs them, on a stack of their own.

The notebook's cells are executed in order in one namespace: a kernel would be heavy, and show the
same.
"""

import ast
import doctest
import inspect
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import carbonline
from carbonline import AsyncClient, Client
from carbonline.client.errors import ClientError
from tests.docs.documented_commands import first_difference

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "python.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
SESSION = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which a reader has typed `carbonline up`."""
    folder = tmp_path_factory.mktemp("reader")
    up = subprocess.Popen(
        [sys.executable, "-m", "carbonline.command.main", "up", "--workers", "1"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert up.stdout is not None
    try:
        while "Press Ctrl-C to stop" not in (line := up.stdout.readline()):
            assert line, "the stack did not start"
        yield folder
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(SECONDS_MAX) == 0
        up.stdout.close()


def shown_by(source: str, namespace: dict[str, Any]) -> str:
    """What a reader sees of these statements; the value of a last expression, too."""
    tree = ast.parse(source)
    last = ast.Interactive([tree.body.pop()]) if tree.body else None
    with redirect_stdout(io.StringIO()) as shown:
        exec(compile(tree, "docs", "exec"), namespace)
        if last is not None:
            exec(compile(last, "docs", "single"), namespace)
    return shown.getvalue()


def test_every_line_of_the_page_shows_what_it_promises(
    stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stack)
    namespace: dict[str, Any] = {}
    parser = doctest.DocTestParser()
    examples = [one for text in SESSION.findall(PAGE) for one in parser.get_examples(text)]
    assert len(examples) > 10
    for one in examples:
        shown = shown_by(one.source, namespace)
        assert first_difference(one.want.splitlines(), shown.splitlines()) is None, one.source


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_the_notebook_runs(
    notebook: Path, stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stack)
    namespace: dict[str, Any] = {}
    shown = [
        shown_by("".join(cell["source"]), namespace)
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    assert "'plane'" in shown[0]
    assert "hammock" in namespace["rejected"]["cabin_class"].to_list()
    assert namespace["totals"]["unit"].to_list() == ["0828", "0829"]
    assert namespace["totals"]["entries"].to_list() == [2, 1]
    assert namespace["totals"]["total_kg"].min() > 0


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(notebook: Path) -> None:
    kept = json.loads(notebook.read_text(encoding="utf-8"))
    assert (kept["nbformat"], kept["nbformat_minor"]) == (4, 5)
    code = [cell for cell in kept["cells"] if cell["cell_type"] == "code"]
    assert code
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
    assert len({cell["id"] for cell in kept["cells"]}) == len(kept["cells"])


def public_methods(kind: type) -> dict[str, Any]:
    """What a person may call on a client, the ways to end it aside."""
    found = inspect.getmembers(kind, inspect.isroutine)
    return {name: method for name, method in found if not name.startswith("_")}


def test_the_page_names_every_method_and_every_error() -> None:
    documented = set(re.findall(r"`(\w+)`", PAGE))
    methods = set(public_methods(Client)) - {"local", "close"}
    errors = {
        name
        for name in carbonline.__all__
        if isinstance(kind := getattr(carbonline, name), type) and issubclass(kind, ClientError)
    }
    assert (methods | errors) - documented == set()


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    for name, method in public_methods(Client).items():
        assert inspect.getdoc(method), name
        awaited = public_methods(AsyncClient)[name]
        assert list(inspect.signature(method).parameters) == list(
            inspect.signature(awaited).parameters
        ), name
    # What the other client is made of.
    only_async = set(public_methods(AsyncClient)) - set(public_methods(Client))
    assert only_async == {"totals_and_missing", "report_and_missing", "result_pages"}
