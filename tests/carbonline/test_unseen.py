"""Characters that nobody sees are those that Unicode says, and one more."""

import polars as pl

from carbonline.unseen import UNSEEN, has_unseen, unseen_written_out
from worker_service.carbon.csv_source.invisible import ANY_UNSEEN


def test_they_are_what_unicode_says_may_be_ignored_and_the_empty_pattern_of_braille() -> None:
    every = pl.Series([chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000])
    found = every.filter(every.str.contains(f"[{UNSEEN}]")).to_list()
    assert found == every.filter(every.str.contains(ANY_UNSEEN)).to_list()
    ignored = every.filter(every.str.contains(r"\p{Default_Ignorable_Code_Point}")).to_list()
    assert set(found) == {*ignored, "\u2800"}
    assert [one for one in every if has_unseen(one)] == found


def test_they_are_written_out() -> None:
    assert unseen_written_out("08\u200b\U000e0020é") == "08\\u200b\\U000e0020é"
    assert not has_unseen("Zürich 日本")
