"""Of the sheets of a workbook one is in memory at a time."""

import weakref

from worker_service.carbon.workbooks.one_sheet import OneSheet


class Sheet:
    """Stands for one that takes much memory."""


def test_a_sheet_goes_before_another_is_parsed_and_is_not_parsed_again() -> None:
    parsed: list[weakref.ref[Sheet]] = []

    def parse(_name: str) -> Sheet:
        assert not any(one() for one in parsed), "the one before is still there"
        sheet = Sheet()
        parsed.append(weakref.ref(sheet))
        return sheet

    of = OneSheet(parse)
    for name in ("Notes", "Trips", "Trips"):
        assert isinstance(of(name), Sheet)
    assert len(parsed) == 2
