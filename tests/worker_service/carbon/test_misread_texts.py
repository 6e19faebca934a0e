"""Words whose bytes were read in another encoding, beside words that only look odd."""

import polars as pl
import pytest

from worker_service.carbon.declarations import Column
from worker_service.carbon.parse.misread_texts import misread_texts

NAMES = (Column("name"),)


def reasons(*names: str) -> list[str]:
    texts = pl.DataFrame({"row_number": range(1, len(names) + 1), "name": names})
    return misread_texts(texts, texts, NAMES)["reason"].to_list()


@pytest.mark.parametrize(
    ("word", "encoding"),
    [
        *[
            (word, "mac_roman")
            for word in ("Bât A", "Cité", "CITÉ", "École", "Straße", "København", "São Paulo")
        ],
        *[(word, "cp850") for word in ("Bât A", "Cité", "pâté", "Käse", "fenêtre")],
        *[(word, "utf-8") for word in ("Zürich", "Košice", "Genève")],
    ],
)
def test_the_word_that_was_written_is_named(word: str, encoding: str) -> None:
    [reason] = reasons("plain", word.encode(encoding).decode("cp1252"), word)
    assert f" {word} in " in reason
    assert reason.count(" in ") <= 2


@pytest.mark.parametrize(
    ("word", "encoding", "said"),
    [
        ("Cité", "cp850", "Cité in the code page of DOS (850), and was"),
        ("pâté", "cp850", "pâté in the code page of DOS (850), and was"),
        ("Zürich", "mac_roman", "Zürich in Mac Roman, and was"),
        ("Bât", "mac_roman", "Bât in Mac Roman, or Bët in the code page of DOS (850), and was"),
    ],
)
def test_no_reading_has_a_capital_within_a_word(word: str, encoding: str, said: str) -> None:
    [reason] = reasons(word.encode(encoding).decode("cp1252"))
    assert reason.startswith(f"looks like {said}")


@pytest.mark.parametrize(
    "word",
    [
        "Škoda",
        "KOŠICE",
        "Café “Le Monde”",
        "Genève\u2013Bern",
        "Müller†",
        "100 €",
        "ŒUVRES",
        "cœur",
        "etc…",
        "¿Qué?",
        "«CAFÉ»",
        "„Wort“",
        "Büro™ X",
        "3‰",
        "IRMÃ",
        "São João",
        "Ã la carte",
        "ALEMÃ»",
        "2ª",
        "Łódź",
        "Ä\u2013Ö",
        "日本\u2013X",
    ],
)
def test_a_word_that_may_be_right_is_not_told(word: str) -> None:
    assert reasons(word) == []
