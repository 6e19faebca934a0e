"""--help of every command fits the terminal, also a narrow one, and cuts no word."""

import re
from collections.abc import Iterator

import click
import pytest

from carbonline.command.help_layout import HelpContext
from carbonline.command.main import main


def pages(command: click.Command, above: click.Context | None = None) -> Iterator[click.Context]:
    """A context for each command and group that can be typed."""
    context = command.context_class(command, info_name=command.name or "carbonline", parent=above)
    yield context
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        yield from pages(command.commands[name], context)  # type: ignore[attr-defined]


PAGES = {context.command_path.replace("main", "carbonline"): context for context in pages(main)}


def laid_out(context: click.Context, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The help of a command on a terminal of so many columns."""
    monkeypatch.setenv("COLUMNS", str(columns))
    return context.command.get_help(context)


def words(helped: str) -> list[str]:
    """The words of a page. Choices may have spaces around their bars."""
    return re.sub(r"\s*\|\s*", "|", helped).split()


def terms(context: click.Context) -> list[str]:
    """What the page lists: commands, and options as they are typed."""
    records = [
        option.get_help_record(context)
        for option in context.command.get_params(context)
        if isinstance(option, click.Option)
    ]
    listed = [record[0] for record in records if record is not None]
    return listed + (
        list(context.command.commands) if isinstance(context.command, click.Group) else []
    )


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("name", PAGES)
def test_help_fits_and_no_word_is_cut(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = PAGES[name]
    helped = laid_out(context, columns, monkeypatch)
    explained, _, _typed = helped.partition("\n  Examples:\n") if columns < 80 else (helped, "", "")
    assert [line for line in explained.splitlines() if len(line) > columns] == []
    context.terminal_width = 10_000
    whole = laid_out(context, 10_002, monkeypatch)
    assert words(helped) == words(whole)
    _usage, _, listed = helped.partition("\n\n")
    assert not re.search(r"\w\.\.\.$", listed, re.MULTILINE), "a text is shortened"


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("name", PAGES)
def test_each_option_and_command_begins_a_line(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = laid_out(PAGES[name], columns, monkeypatch).splitlines()
    for term in terms(PAGES[name]):
        first = term.split()[0]
        assert any(re.match(rf"  {re.escape(first)}( |$)", line) for line in lines), term


@pytest.mark.parametrize("name", PAGES)
def test_every_command_has_the_layout(name: str) -> None:
    assert PAGES[name].command.context_class is HelpContext
