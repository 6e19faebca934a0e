"""One rule by which keys are the same, for a column of a file and for a single text."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker_service.carbon.parse.values import as_comparison_key, comparison_key, comparison_keys

_WORDS = ("U\u03081", "Ü1", "E\u03011", "É1", "ΟΔΟΣ", "οδος", "Straße", "STRASSE", "ﬁ", "İ", "0828")
_TEXT = st.text(max_size=6) | st.sampled_from(_WORDS)


@settings(deadline=None)
@given(st.lists(_TEXT, max_size=8))
def test_a_column_has_the_same_comparison_keys_as_each_of_its_texts(texts: list[str]) -> None:
    column = (
        pl.Series("key", texts, dtype=pl.String).to_frame().select(as_comparison_key(pl.col("key")))
    )
    assert column.to_series().to_list() == [comparison_key(text) for text in texts]
    assert comparison_keys(texts) == [comparison_key(text) for text in texts]


@settings(deadline=None)
@given(_TEXT)
def test_how_accents_are_encoded_makes_no_other_key(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert {comparison_key(form) for form in forms} == {comparison_key(text)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("U\u03081", "ü1"),
        ("e\u03011", "É1"),
        ("ΟΔΟΣ", "οδος"),
        ("Straße", "STRASSE"),
        ("ẞ", "ss"),
        ("Phys", "PHYS"),
    ],
)
def test_spellings_of_one_key(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)


def test_a_ligature_is_another_letter() -> None:
    assert comparison_key("ﬁ") != comparison_key("fi")
