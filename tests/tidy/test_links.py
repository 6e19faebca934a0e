"""Links between documents lead somewhere."""

import re

from tests.tidy.tracked_files import REPOSITORY, tracked_files

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")


def test_every_relative_link_leads_to_a_file() -> None:
    broken = [
        f"{path}: {target}"
        for path in tracked_files(".md")
        for target in LINK.findall((REPOSITORY / path).read_text(encoding="utf-8"))
        if "://" not in target and not (REPOSITORY / path.parent / target).exists()
    ]
    assert broken == []
