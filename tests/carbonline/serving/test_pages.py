"""Tokens of pages are read again as they were written, and nothing else is taken for one."""

import base64

import pytest

from carbonline.serving.pages import keys_of_token, page_token


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize("keys", [(1,), (0, 2**63 - 1), ("plane", "aaa"), ("é", 7, "")])
def test_a_token_is_read_as_it_was_written(keys: tuple[int | str, ...]) -> None:
    assert keys_of_token(page_token(*keys), *map(type, keys)) == list(keys)


def test_the_first_page_has_no_token_and_no_keys() -> None:
    assert keys_of_token("", int) == ()


@pytest.mark.parametrize(
    "token",
    [
        "7",
        "&&&&",
        page_token("7"),
        page_token(7, 7),
        page_token(-1),
        page_token(2**63),
        page_token(),
        encoded('["before", 7]'),
        encoded('["after", true]'),
        encoded('["after", 7.0]'),
        encoded('{"after": 7}'),
        encoded("7"),
        encoded("[" * 100_000),
        encoded("before:7"),
    ],
)
def test_anything_else_is_not_a_token_of_the_list(token: str) -> None:
    assert keys_of_token(token, int) is None


@pytest.mark.parametrize("key", ["\0", "a\0b", "\ud800"])
def test_a_text_that_no_database_stores_is_in_no_token(key: str) -> None:
    assert keys_of_token(page_token(key), str) is None
