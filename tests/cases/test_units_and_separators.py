"""Units that are badly written, and files whose rows are separated otherwise than the header."""

from tests.cases.conftest import FILES, Terminal


def test_rows_of_another_separator_than_the_header_are_named_as_that(terminal: Terminal) -> None:
    typed = terminal.submit("34_commas_over_semicolons.csv", 2026)

    assert typed.code != 0
    assert "the rows have semicolons: use one of them in the whole file" in typed.output


def test_units_that_may_be_meant_are_all_named(terminal: Terminal) -> None:
    typed = terminal.submit("35_a_unit_of_two_spellings.csv", 2027)

    assert "0012 and 12 are units: a spreadsheet may have written one of them" in typed.output


def test_a_typed_unit_with_a_lost_zero_is_answered_with_the_unit(terminal: Terminal) -> None:
    typed = terminal.submit("20a_unit_upload.csv", 2027, "--unit", "828")

    assert typed.code != 0
    assert "828 is not a unit of the institution. Did you mean 0828?" in typed.output
    asked = terminal.type("totals", "--year", "2027", "--unit", "12.0")
    assert "12.0 is not a unit of the institution. Did you mean 0012 or 12" in asked.output


def test_units_of_one_file_that_look_alike_are_told_and_no_hidden_character_is_kept(
    terminal: Terminal,
) -> None:
    typed = terminal.type("load", "units", FILES / "41_units_written_badly.csv", "--year", "2027")

    assert "0555 is one: a spreadsheet may have written it as a number" in typed.output
    warned = " ".join(terminal.warnings(typed).split())
    for told in ("dropped the zero", "write it with plain letters", "which is left out"):
        assert told in warned
    assert "05\\u200b56" in warned
    listed = terminal.type("units", "0556", "--format", "csv").out
    assert listed.splitlines()[1].startswith("0556,Hidden,")


def test_ids_of_other_scripts_are_told_and_what_nobody_sees_makes_no_new_unit(
    terminal: Terminal,
) -> None:
    unseen = "".join(f"0828{one},Physics\n" for one in "\ufe0f\u115f\u1160\u3164\u2800\U000e0020")
    units = f"unit_institutional_id,name\n{unseen}\u041d\u0410,N\nHA,N\n"
    (terminal.folder / "scripts.csv").write_text(units, "utf-8")
    typed = terminal.type("load", "units", "scripts.csv", "--year", "2027")

    assert "2 new" in typed.output
    warned = " ".join(terminal.warnings(typed).split())
    assert "0828\\ufe0f" in warned
    assert "HA looks the same, but it has U+041D CYRILLIC CAPITAL LETTER EN, U+0410" in warned
    scope = terminal.submit("20a_unit_upload.csv", 2027, "--unit", "0828\u200b").output
    assert "0828\\u200b" in scope
    assert "\u200b" not in scope
