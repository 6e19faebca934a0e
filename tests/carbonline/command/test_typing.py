"""What is typed: mistakes are answered with what was meant, shells complete, --help helps."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from carbonline.client.errors import ServerError
from carbonline.command import known_years
from carbonline.command.jobs_of_files import entries_job, in_its_module
from carbonline.command.main import main
from carbonline.command.names import type_numbers
from carbonline.command.options import YEAR
from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.carbon.describe import describe_catalogue

PLANE = types_pb2.DATA_ENTRY_TYPE_PLANE
TRAVEL, BUILDINGS = types_pb2.MODULE_PROFESSIONAL_TRAVEL, types_pb2.MODULE_BUILDINGS


def commands(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All that can be typed, with the words that call it."""
    for name, command in group.commands.items():
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)


ALL = dict(commands(main))


def usage_error(*words: str) -> str:
    """All that `carbonline WORDS` prints; it must be wrong usage."""
    ended = CliRunner().invoke(main, words)
    assert ended.exit_code == 2, ended.output
    return ended.output


def completed(line: str) -> list[str]:
    """What a shell is offered at the end of the line."""
    *before, incomplete = shlex.split(line + "|")
    completer = ShellComplete(main, {}, "carbonline", "_CARBONLINE_COMPLETE")
    items = completer.get_completions(before[1:], incomplete.removesuffix("|"))
    return [item.value for item in items]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("totlas",), "Did you mean 'totals'?"),
        (("load", "factor"), "Did you mean 'factors'?"),
        (("totals", "--yer", "2024"), "--year"),
        (("totals", "--module", "profesional-travel"), "did you mean professional_travel?"),
        (("template", "plain"), "did you mean plane"),
        (("template", "xyzzy"), f"is not one of {', '.join(type_numbers())}."),
    ],
)
def test_a_mistyped_word_is_answered_with_what_was_meant(
    words: tuple[str, ...], meant: str
) -> None:
    assert meant in usage_error(*words)


@pytest.mark.parametrize("words", [("load", "factors"), ("submit",)])
def test_a_type_that_is_left_out_is_asked_for_with_all_there_are(words: tuple[str, ...]) -> None:
    complaint = usage_error(*words, __file__, "--year", "2024")
    assert f"Missing option '--type'. It is one of {', '.join(type_numbers())}." in complaint


def test_the_types_that_are_known_are_those_that_the_catalogue_computes() -> None:
    catalogue = [one for module in describe_catalogue() for one in module.types]
    assert {one.name for one in catalogue if one.supported} == set(type_numbers())


@pytest.mark.parametrize("typed", ["professional-travel", "PROFESSIONAL_TRAVEL"])
def test_names_are_taken_with_hyphens_and_capitals(typed: str) -> None:
    # The year is what is wrong here, and not the module before it.
    assert "'--year'" in usage_error("totals", "--module", typed, "--year", "2")


def catalogue(*modules: int, supported: bool = True) -> ledger_pb2.ListModulesResponse:
    """A catalogue in which planes belong to these modules."""
    answer = ledger_pb2.ListModulesResponse()
    for number in modules:
        module = answer.modules.add(module=types_pb2.Module.ValueType(number))
        module.data_entry_types.add(data_entry_type=PLANE, supported=supported)
    return answer


@pytest.mark.parametrize("named", [0, TRAVEL])
def test_a_type_implies_its_module(named: int) -> None:
    job = entries_job(Path("trips.csv"), named, PLANE, 2024, "")
    assert in_its_module(job, catalogue(TRAVEL)).module == TRAVEL


@pytest.mark.parametrize(
    ("named", "answer", "why"),
    [
        (BUILDINGS, catalogue(TRAVEL), "plane is a type of professional_travel, not of buildings"),
        (0, catalogue(TRAVEL, BUILDINGS), "professional_travel or buildings: choose one"),
        (0, catalogue(), "catalogue does not have the type plane"),
        (0, catalogue(TRAVEL, supported=False), "not computed by this release"),
    ],
)
def test_a_module_that_is_not_the_types_is_refused(
    named: int, answer: ledger_pb2.ListModulesResponse, why: str
) -> None:
    with pytest.raises(click.UsageError, match=why):
        in_its_module(entries_job(Path("trips.csv"), named, PLANE, 2024, ""), answer)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("carbonline tot", ["totals"]),
        ("carbonline load f", ["factors"]),
        ("carbonline load factors epa-h", ["epa-hub-2024", "epa-h"]),
        ("carbonline submit trips.csv --type pl", ["plane"]),
        ("carbonline template tr", ["train"]),
        ("carbonline totals --module prof", ["professional_travel"]),
        ("carbonline totals --form", ["--format"]),
        ("carbonline totals --format c", ["csv"]),
        ("carbonline completion z", ["zsh"]),
    ],
)
def test_a_shell_completes_what_is_begun(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_years_are_those_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    async def years(_target: object) -> frozenset[int]:
        return frozenset({2023, 2024, 1999})

    monkeypatch.setattr(known_years, "_years", years)
    assert completed("carbonline totals --year 20") == ["2024", "2023"]


@pytest.mark.parametrize("error", [TimeoutError(), ServerError("UNAVAILABLE", "", "", {}, {})])
def test_a_stack_that_does_not_answer_offers_no_years(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def years(_target: object) -> frozenset[int]:
        raise error

    monkeypatch.setattr(known_years, "_years", years)
    assert completed("carbonline totals --year 20") == []


def test_a_folder_without_a_stack_offers_no_years(tmp_path: Path) -> None:
    context = click.Context(click.Command("totals"))
    context.params["data_folder"] = tmp_path
    assert YEAR.shell_complete(context, click.Option(["--year"]), "2") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_given_its_script(shell: str) -> None:
    ended = CliRunner().invoke(main, ["completion", shell])
    assert ended.exit_code == 0
    assert f"_CARBONLINE_COMPLETE={shell}_complete" in ended.output


def test_bash_takes_the_script_and_completes_by_it(tmp_path: Path) -> None:
    script = CliRunner().invoke(main, ["completion", "bash"]).output
    (tmp_path / "script").write_text(script)
    typed = (
        f"PATH={Path(sys.executable).parent}:$PATH; . {tmp_path}/script; "
        "COMP_WORDS=(carbonline template pla); COMP_CWORD=2; "
        "_carbonline_completion carbonline; echo ${COMPREPLY[@]}"
    )
    shell = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=True)
    assert shell.stdout == "plane\n"


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_each_commands_help_has_examples_that_fit_and_can_be_typed(words: tuple[str, ...]) -> None:
    helped = CliRunner().invoke(main, [*words, "--help"]).output
    assert all(len(line) <= 80 for line in helped.splitlines())
    _, _, typed = helped.partition("Examples:\n")
    assert " ".join(("carbonline", *words)) in typed
    for line in typed.splitlines():
        options = {word for word in line.split() if word.startswith("--")}
        known = {name for one in ALL.values() for param in one.params for name in param.opts}
        assert options <= known, line
    assert not ALL[words].get_short_help_str(60).endswith("...")


def test_help_lists_commands_in_the_order_of_work() -> None:
    helped = CliRunner().invoke(main, ["--help"]).output
    order = ["Start:", "demo", "up", "load", "template", "submit", "watch", "totals", "status"]
    places = [helped.index(f"\n  {word} ") if word != "Start:" else 0 for word in order]
    assert places == sorted(places)
    assert all(f"\n  {name} " in helped for name in main.commands)
