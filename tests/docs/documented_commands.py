"""Finds the commands that a document shows, and compares what they print with what it promises.

A fenced block `console` holds commands, `$ ` before each, and below each what it prints. An HTML
comment right above the block says what is special about it:

    <!-- not executed: the reason -->       the block cannot run in a test
    <!-- executed in the background -->     it goes on running until the document ends
    <!-- exit code: 3 -->                   its last command ends with this code
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

DIRECTIVE = re.compile(r"^<!--\s*(?P<word>not executed|executed in the background|exit code)"
                       r"\s*(?::\s*(?P<value>.*?))?\s*-->$")  # fmt: skip
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\s*$")
PROMPT = "$ "
ANYTHING = "..."
# Shells that readers would paste from, but whose blocks nobody would execute.
OTHER_SHELLS = frozenset({"sh", "bash", "shell", "zsh"})


class MisshapenDocument(Exception):
    """A block that a reader would try and that no test could run."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a document, and the lines that it is said to print."""

    line: int
    text: str
    expected: tuple[str, ...]
    exit_code: int = 0
    in_background: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """The commands of one fenced block; with a reason, they are not executed."""

    line: int
    commands: tuple[Command, ...]
    not_executed_because: str | None = None


@dataclass(frozen=True, slots=True)
class _Fence:
    line: int
    language: str
    body: tuple[str, ...]
    directive: re.Match[str] | None


def blocks_of(markdown: str) -> list[Block]:
    """The blocks of commands, in order.

    Raises MisshapenDocument for a block in another shell's name, one without a command, and a
    directive that no block follows or that lacks its value.
    """
    blocks = []
    for fence in _fences(markdown.splitlines()):
        if fence.language in OTHER_SHELLS:
            raise MisshapenDocument(f"line {fence.line}: write ```console and $ before commands")
        if fence.language == "console":
            blocks.append(_block(fence))
        elif fence.directive:
            raise MisshapenDocument(f"line {fence.line}: a directive above no block of commands")
    return blocks


def _fences(lines: Sequence[str]) -> Iterator[_Fence]:
    opened: tuple[int, str, str] | None = None
    body: list[str] = []
    directive: re.Match[str] | None = None
    for number, line in enumerate(lines, start=1):
        if opened is None:
            fence = FENCE.match(line)
            if fence:
                opened, body = (number, fence["indent"], fence["language"]), []
            elif line.strip():
                directive = DIRECTIVE.match(line.strip())
        elif line.strip() == "```":
            yield _Fence(opened[0], opened[2], tuple(body), directive)
            opened, directive = None, None
        else:
            body.append(line.removeprefix(opened[1]))
    if opened is not None:
        raise MisshapenDocument(f"line {opened[0]}: a block that is never closed")


def _block(fence: _Fence) -> Block:
    commands = _commands(fence)
    if not commands:
        raise MisshapenDocument(f"line {fence.line}: a block of commands without a $")
    if fence.directive is None:
        return Block(fence.line, commands)
    word, value = fence.directive["word"], fence.directive["value"]
    if word == "executed in the background":
        return Block(fence.line, tuple(replace(one, in_background=True) for one in commands))
    if not value:
        raise MisshapenDocument(f"line {fence.line}: '{word}' without saying which or why")
    if word == "exit code":
        last = replace(commands[-1], exit_code=int(value))
        return Block(fence.line, (*commands[:-1], last))
    return Block(fence.line, commands, not_executed_because=value)


def _commands(fence: _Fence) -> tuple[Command, ...]:
    starts = [n for n, line in enumerate(fence.body) if line.startswith(PROMPT)]
    if starts and starts[0] != 0:
        raise MisshapenDocument(f"line {fence.line}: something is printed before any command")
    return tuple(
        _command(fence.line + 1 + start, fence.body[start:end])
        for start, end in pairwise([*starts, len(fence.body)])
    )


def _command(line: int, body: Sequence[str]) -> Command:
    ends = next((n for n, text in enumerate(body) if not text.endswith("\\")), len(body) - 1)
    text = "\n".join(body[: ends + 1]).removeprefix(PROMPT)
    return Command(line, text, tuple(body[ends + 1 :]))


ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HEXADECIMAL = re.compile(r"\b(?=[0-9a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b", re.IGNORECASE)
NUMBER = re.compile(r"\d+(?:[.,:' ]?\d+)*")
RULE = re.compile(r"[-=─━═┄]{2,}")
SPACES = re.compile(r"\s+")


def normalised(line: str) -> str:
    """The line without what differs from run to run: digits, ids, colours, widths."""
    plain = ESCAPES.sub("", line).rsplit("\r", 1)[-1]
    for pattern, stands_for in ((HEXADECIMAL, "#"), (NUMBER, "#"), (RULE, "--"), (SPACES, " ")):
        plain = pattern.sub(stands_for, plain)
    return plain.strip()


def first_difference(expected: Sequence[str], printed: Sequence[str]) -> str | None:
    """None when `printed` is what was promised; else a sentence about where it departs.

    Blank lines do not count. A line `...` stands for any lines, none included.
    """
    wanted = [normalised(line) for line in expected if line.strip()]
    got = [normalised(line) for line in printed if line.strip()]
    if _matches(wanted, got):
        return None
    return "\n".join(["promised:", *expected, "printed:", *printed])


def _matches(wanted: Sequence[str], got: Sequence[str]) -> bool:
    # reached[n]: the promises so far can account for exactly the first n printed lines.
    reached = [True] + [False] * len(got)
    for promise in wanted:
        following = [False] * len(reached)
        if promise == ANYTHING:
            first = reached.index(True) if True in reached else len(reached)
            following[first:] = [True] * (len(reached) - first)
        else:
            for n, line in enumerate(got):
                following[n + 1] = reached[n] and line == promise
        reached = following
    return reached[-1]
