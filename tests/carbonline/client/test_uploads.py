"""Files of uploads, as scripts have them again: downloaded, restored, copied to a year."""

from pathlib import Path

import pytest

from carbonline import Client, WrongArgument
from tests.carbonline.client.test_scripts import HEADER, client, folder
from tests.carbonline.command.test_commands import terminal

__all__ = ["client", "folder", "terminal"]


def test_files_of_uploads_are_had_again(client: Client, folder: Path) -> None:
    rows = [f"U1,CDG,GVA,7{n},economy,1\n" for n in range(3)]
    texts = [f"{HEADER}\n" + "".join(rows), f"{HEADER}\n" + "".join(rows[:2])]
    for text in texts:
        (folder / "again.csv").write_text(text)
        client.submit_file("again.csv", "plane", year=2024, source="again").raise_for_status()
    [second] = client.uploads(2024, source="Again")
    # It is for all units.
    assert client.uploads(2024, source="again", unit="U1") == []
    (folder / "there.csv").write_text("older")
    assert client.download(second, folder / "there.csv").read_text() == texts[1]
    assert not list(folder.glob("*.unfinished"))
    with pytest.raises(WrongArgument, match="counts"):
        client.restore(second)
    with pytest.raises(WrongArgument, match="is of 2024 already"):
        client.copy_upload(second, year=2024)
    client.withdraw(second).raise_for_status()
    client.restore(second).raise_for_status()
    [third] = client.uploads(2024, source="again")
    assert (third.entries, third.file_name, third.upload_id > second.upload_id) == (
        2,
        "again.csv",
        True,
    )
    client.load_units("units.csv", year=2025)
    client.load_factors("factors.csv", "plane", year=2025)
    client.copy_upload(third.upload_id, year=2025).raise_for_status()
    assert [one.entries for one in client.uploads(2025, source="again")] == [2]
    for number in (99_999, 0):
        with pytest.raises(WrongArgument, match=f"There is no upload {number}"):
            client.download(number, "nothing.csv")
