"""Services that tests fork end and answer as those that Python starts from nothing."""

import os
import signal
import sys
from pathlib import Path

import pytest

from carbonline.local.child_process import ChildProcess
from tests.warm_services import Forked, fork_services

PAUSES = "import os, signal; print(os.getppid(), os.getsid(0) == os.getpid(), flush=True); "


def service(folder: Path, *words: str, **variables: str) -> ChildProcess:
    """A process of the product, by its words after `python -P`."""
    return ChildProcess(
        name="one",
        command=(sys.executable, "-P", *words),
        environment={**os.environ, **variables},
        log_file=folder / "one.log",
    )


@pytest.mark.parametrize(
    "words", [("scheduler_service", "--help"), ("worker_service", "ledger"), ("worker_service",)]
)
async def test_a_forked_service_answers_as_one_from_nothing(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork_services(monkeypatch)
    answers = []
    for variables in ({}, {"ANOTHER": "variable"}):
        one = service(tmp_path, "-m", *words, CARBONLINE_LEASE_SECONDS="many", **variables)
        one.start()
        answers.append((isinstance(one._process, Forked), await one.exited(), one.log_text()))

    (is_forked, *as_forked), (is_forked_too, *as_started) = answers
    assert (is_forked, is_forked_too) == (True, False)
    assert as_forked == as_started


async def test_a_forked_service_is_a_child_in_a_session_of_its_own_and_tells_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork_services(monkeypatch)
    script = tmp_path / "pauses.py"
    script.write_text(f"{PAUSES}signal.pause()")
    one = service(tmp_path, str(script))
    one.start()
    while not one.log_text().endswith("\n"):
        assert one.running
    assert one.log_text() == f"{os.getpid()} True\n"

    assert await one.stop(signal.SIGTERM, 30.0) == -signal.SIGTERM
    assert not one.running
    one.start()
    assert one.kill() == -signal.SIGKILL
