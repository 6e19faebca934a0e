"""Words that we no longer use, each with the one that docs/glossary.md has in its place.

To retire a word, add a row to RETIRED. tests/docs/test_words.py keeps the words out of documents,
protos, code and the names of files.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retired:
    """A word or phrase, as a regular expression of whole words, and what to write instead.

    `elsewhere` are phrases in which the same letters mean something else. Case counts only where
    `name` is set: then the word is retired as the name of a class or function.
    """

    word: str
    instead: str
    elsewhere: tuple[str, ...] = ()
    name: bool = False

    def found_in(self, text: str) -> Iterator[re.Match[str]]:
        """Every place in a text where the word stands in its retired meaning."""
        flags = 0 if self.name else re.IGNORECASE
        spared = [
            range(*legitimate.span())
            for phrase in self.elsewhere
            for legitimate in re.finditer(phrase, text, flags)
        ]
        for found in re.finditer(rf"\b(?:{self.word})\b", text, flags):
            if not any(found.start() in span for span in spared):
                yield found


# Between the words of an identifier: in snake_case, and before a capital letter in CamelCase.
_JOINT = re.compile(r"_|(?<=[a-z0-9])(?=[A-Z])")

RETIRED = (
    # What jobs and claims do.
    Retired(r"lapse[sd]?|lapsing", "expire"),
    Retired(r"(?:in|into) the dark|dark (?:ends?|tokens?|claims?|jobs?|scopes?)", "in doubt"),
    Retired(r"wish(?:es)?|ClaimWish", "held child; of a worker: claim request"),
    Retired(r"pulses?", "heartbeat"),
    Retired(r"g(?:ive|ives|iven|ave|iving)(?:\s+\w+){0,3}\s+back", "release, return"),
    Retired(r"twins?", "duplicate"),
    Retired(r"fold(?:s|ed|ing)?", "supersede", (r"case-fold(?:s|ed|ing)?",)),
    Retired(r"free slots?|(?:its|worker's|workers') slots?", "concurrency"),
    # What servers and databases do.
    Retired(r"doors?", "interceptor"),
    Retired(r"(?:is|was|are|were|be) away", "unavailable", (r"is away from",)),
    Retired(r"knock(?:s|ed|ing)?", "probe"),
    Retired(r"ledger reader|reader process", "ledger process"),
    Retired(r"cards?", "summary"),
    Retired(r"(?<!GHG )scopes? [123]", "GHG scope", (r"\bscopes? [123]\d",)),
    # Names of classes and functions.
    Retired(r"Pulse\w*", "HeartbeatRequest, HeartbeatReply", name=True),
    Retired(r"Ending|Ended", "finish request, finish answer", name=True),
    Retired(r"FewWords", "ThrottledLog", name=True),
    Retired(r"keep_house", "housekeeping", name=True),
    Retired(r"counted(?=\()", "pluralize", name=True),
    Retired(r"(?<=def )_*(?:says?|said|tells?|told|hears?|heard|knocks?)(?:_\w+)?",
            "notify, publish, print, report", name=True),
    Retired(r"Desk|Books|House|Trip", "StoreDriver, LedgerDriver, WorkerHarness, AcceptanceRun",
            (r"Trip(?=Distance)", r"House rules"), name=True),
    # English that does not read at once.
    Retired(r"as (?:it|they) stands?", "unchanged, or leave it out"),
    Retired(r"(?<!there )is no(?! (?:longer|more than|less than)\b)", "is not a, has no"),
    Retired(r"tell us", "report it as a bug"),
)  # fmt: skip


def retired_words_in(text: str) -> list[str]:
    """A complaint per place, with its line and what to write instead."""
    return [complaint for one in RETIRED for complaint in _complaints(one, text)]


def retired_words_in_code(code: str) -> list[str]:
    """Like `retired_words_in`, but also finds words within an identifier, as in `dark_token`."""
    divided = _JOINT.sub(" ", code)
    return [
        complaint
        for one in RETIRED
        for complaint in _complaints(one, code if one.name else divided)
    ]


def _complaints(one: Retired, text: str) -> list[str]:
    return [
        f"line {text.count(chr(10), 0, found.start()) + 1}: {found[0]!r}: write {one.instead}"
        for found in one.found_in(text)
    ]
