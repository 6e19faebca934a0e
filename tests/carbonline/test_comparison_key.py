"""Texts are the same for clients where they are for the ledger."""

from carbonline.comparison_key import comparison_key
from worker_service.carbon.parse.values import comparison_keys

TEXTS = (
    *(" A", "a", "Straße", "STRASSE", "École", "E\u0301cole", "a\u200bb", "a\u00a0b", "a\u202fb"),
    *("\u017f", "K", "İ", "Ǆ", "\ufb01", "\u00ad", "a  b", "x\u2007", "\ufeffx"),
)


def test_texts_are_the_same_where_they_are_for_the_ledger() -> None:
    theirs = comparison_keys([text.strip() for text in TEXTS])
    assert [comparison_key(text) for text in TEXTS] == theirs
