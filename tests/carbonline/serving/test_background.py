"""Background tasks of a server: one that ends too early ends the process."""

import asyncio
import json

import pytest

from carbonline.serving.background import Background, BackgroundTaskEnded
from carbonline.serving.logs import open_log

SECONDS = 10.0


def named(name: str) -> set[asyncio.Task[None]]:
    return {task for task in asyncio.all_tasks() if task.get_name() == name}


async def forever() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise ValueError("no such column")


async def returns() -> None:
    return


async def test_an_order_to_stop_ends_the_wait() -> None:
    background, stopping = Background(open_log("error")), asyncio.Event()
    background.start("listener", forever())
    [task] = named("listener")
    stopping.set()
    await asyncio.wait_for(background.run_until(stopping), SECONDS)
    await background.cancel()
    assert task.cancelled()


async def test_a_task_that_fails_is_named_with_its_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    background = Background(open_log("error"))
    background.start("listener", forever())
    background.start("health", fails())
    with pytest.raises(BackgroundTaskEnded, match="'health' ended") as raised:
        await asyncio.wait_for(background.run_until(asyncio.Event()), SECONDS)
    assert str(raised.value.__cause__) == "no such column"
    await background.cancel()
    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["task"]) == ("background_task_ended", "health")
    assert line["exception"][0]["exc_value"] == "no such column"


async def test_a_task_that_returns_has_ended_too() -> None:
    background = Background(open_log("error"))
    background.start("sweeps", returns())
    with pytest.raises(BackgroundTaskEnded, match="'sweeps' ended") as raised:
        await asyncio.wait_for(background.run_until(asyncio.Event()), SECONDS)
    assert raised.value.__cause__ is None
    await background.cancel()


async def test_a_failure_before_the_wait_is_not_missed() -> None:
    background = Background(open_log("error"))
    background.start("health", fails())
    await asyncio.wait(named("health"))
    with pytest.raises(BackgroundTaskEnded):
        await asyncio.wait_for(background.run_until(asyncio.Event()), SECONDS)
    await background.cancel()


async def test_an_end_in_order_is_not_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    background = Background(open_log("error"))
    background.start("listener", forever())
    await background.cancel()
    assert capfd.readouterr().err == ""
