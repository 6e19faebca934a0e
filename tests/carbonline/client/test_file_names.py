"""Names of files as they are sent."""

import os

from carbonline.client.file_names import sent_name
from carbonline.command.safe_text import one_line


def test_bytes_of_a_files_name_that_are_no_text_are_written_out() -> None:
    name = os.fsdecode(b"fl\xfcge.csv")
    assert one_line(f"{name}\ud800") == "fl\\xfcge.csv\\ud800"
    assert sent_name(name) == "fl\\xfcge.csv"
    assert sent_name("flüge.csv") == "flüge.csv"
