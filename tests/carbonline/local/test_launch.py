"""The launcher ties a command to its owner, on kernels with and without a death signal."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE

from carbonline.local.child_process import LAUNCHER
from carbonline.local.launch import EXIT_CANNOT_RUN, EXIT_OWNER_GONE

ELSEWHERE = """
import runpy, sys
sys.platform = "darwin"
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SIGINT = str(int(signal.SIGINT))


async def test_without_a_death_signal_the_end_of_the_owners_pipe_ends_the_command() -> None:
    reading, writing = os.pipe()
    arguments = (str(LAUNCHER), str(os.getpid()), SIGINT, "same", str(reading), "cat")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ELSEWHERE, *arguments),
        stdin=PIPE,
        stdout=PIPE,
        pass_fds=(reading,),
    )
    os.close(reading)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"here\n")
    assert await asyncio.wait_for(process.stdout.readline(), 10) == b"here\n"
    os.close(writing)
    assert await asyncio.wait_for(process.wait(), 10) == -signal.SIGINT
    process.stdin.close()


async def launched(*arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(LAUNCHER), *arguments), stderr=PIPE
    )
    await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode is not None
    return process.returncode


async def test_a_command_whose_owner_has_gone_before_is_not_run() -> None:
    nobody = "1"
    assert await launched(nobody, SIGINT, "same", "0", "true") == EXIT_OWNER_GONE
    assert await launched(str(os.getpid()), SIGINT, "same", "0", "true") == 0


async def test_a_command_that_is_not_there_has_an_exit_code_of_its_own() -> None:
    missing = "/nowhere/at/all"
    assert await launched(str(os.getpid()), SIGINT, "same", "0", missing) == EXIT_CANNOT_RUN
