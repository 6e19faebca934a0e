"""Whatever somebody wrote as TOML: what is wrong with it is one error, for all who read it."""

import pytest

from carbonline.toml_text import NotToml, read_toml


@pytest.mark.parametrize(
    "text", [b"a =", b"\xff", b"a = " + b"[" * 20_000, b"a.b = 1\na = 2", b"\0", b"a = 2024-13-01"]
)
def test_what_is_not_toml_is_one_error(text: bytes) -> None:
    with pytest.raises(NotToml, match=r"\w"):
        read_toml(text)


def test_a_mark_before_the_first_line_is_passed_over() -> None:
    assert read_toml(b"\xef\xbb\xbfa = 1") == {"a": 1}
