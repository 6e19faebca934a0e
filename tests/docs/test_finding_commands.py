"""The mechanism that keeps documents true is itself kept true."""

import pytest

from tests.docs.documented_commands import (
    Command,
    MisshapenDocument,
    blocks_of,
    first_difference,
    normalised,
)

DOCUMENT = """
# Try it

```console
$ echo one
one
$ printf 'a\\n' \\
    'b'
a
b
```

Text, and data that is not a command:

```csv
a,b
```

<!-- not executed: needs a browser -->
```console
$ open page
```

1. In a list

   <!-- executed in the background -->

   ```console
   $ serve
   ready
   ```

<!-- exit code: 3 -->
```console
$ true
$ exit 3
```
"""


def test_commands_are_found_with_their_output_and_their_directives() -> None:
    first, skipped, background, failing = blocks_of(DOCUMENT)
    assert first.commands == (
        Command(5, "echo one", ("one",)),
        Command(7, "printf 'a\\n' \\\n    'b'", ("a", "b")),
    )
    assert skipped.not_executed_because == "needs a browser"
    assert background.commands[0] == Command(29, "serve", ("ready",), in_background=True)
    assert [command.exit_code for command in failing.commands] == [0, 3]


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("```bash\nls\n```", "write ```console"),
        ("```console\nls\n```", "without a \\$"),
        ("```console\nsaid\n$ ls\n```", "before any command"),
        ("```console\n$ ls\n", "never closed"),
        ("<!-- not executed: -->\n```console\n$ ls\n```", "without saying"),
        ("<!-- exit code: 2 -->\n```csv\na\n```", "above no block"),
    ],
)
def test_a_block_that_no_test_could_run_is_refused(document: str, complaint: str) -> None:
    with pytest.raises(MisshapenDocument, match=complaint):
        blocks_of(document)


def test_a_directive_counts_only_right_above_its_block() -> None:
    (block,) = blocks_of("<!-- not executed: x -->\nText between.\n```console\n$ ls\n```")
    assert block.not_executed_because is None


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("pipeline 17: 328,521 rows in 4.2 s", "pipeline #: # rows in # s"),
        ("blob:sha256:0a1b2c3d4e5f60718293", "blob:sha#:#"),
        ("\x1b[32mok\x1b[0m   12", "ok #"),
        ("10 %\r100 % done  ", "# % done"),
        ("├────┼──┤", "├--┼--┤"),
        ("defaced facade", "defaced facade"),
    ],
)
def test_what_differs_from_run_to_run_is_left_out(line: str, plain: str) -> None:
    assert normalised(line) == plain


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        (["a"], ["a"], True),
        (["a"], ["b"], False),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a"], False),
        ([], ["a"], False),
        (["..."], [], True),
        (["a", "...", "c"], ["a", "b", "b", "c"], True),
        (["a", "...", "c"], ["a", "c"], True),
        (["a", "...", "c"], ["a", "c", "d"], False),
        (["...", "b", "..."], ["a", "b", "b"], True),
        (["row 1"], ["row 234"], True),
        (["a", "", "b"], ["a", "b", ""], True),
    ],
)
def test_printed_is_compared_with_promised(
    expected: list[str], printed: list[str], same: bool
) -> None:
    assert (first_difference(expected, printed) is None) is same
