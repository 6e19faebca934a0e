"""What a file does with existing places and factors, and when removing them needs consent."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from carbonline.pluralize import pluralize
from worker_service.carbon.csv_source.reason_columns import REASON_COLUMN, ROW_COLUMN
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.ledger.usage import Usage
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.steps.input_file import Refusal

ADD, REPLACE, REMOVE_STALE, REMOVE = "add", "replace", "remove_stale", "remove"
CONSENT = "yes"
NAMED_MAX = 5
# As many as a person types.
REMOVED_MAX = 1_000
ADD_OR_ALLOW = "Leave out --replace to add to them, or allow the removal"
# Where nothing was to be replaced.
ALLOW_REMOVAL = "Load a file that has them, or allow the removal"
HOW_TO_ALLOW = (
    'If that is meant, give the command again with --yes (in the payload "take_away": "yes").'
)
HOW_TO_CONSENT = (
    'If that is meant, submit the file again with --yes (in the payload "take_away": "yes").'
)


def mode_of(job: ClaimedJob, known: Sequence[str]) -> str:
    """The payload's `mode`, by default ADD. Raises Refusal for an unknown one."""
    mode = str(job.payload.get("mode", "") or ADD)
    if mode not in known:
        raise Refusal(
            "unknown_mode",
            f"payload.mode must be one of {', '.join(known)}, not {shown_text(mode)}.",
        )
    return mode


def has_consent(job: ClaimedJob) -> bool:
    """Whether the caller allows the removal of what entries use, or of most of an upload."""
    return job.payload.get("take_away") == CONSENT


def names_to_remove(job: ClaimedJob, key: str, nouns: str) -> Sequence[str]:
    """The names that the payload lists under `key`, as written. Raises Refusal if it lists none.

    `nouns` says what they are names of.
    """
    given = job.payload.get(key)
    names = [str(name).strip() for name in given] if isinstance(given, list) else []
    if not names or len(names) > REMOVED_MAX or "" in names:
        raise Refusal(
            f"no_{nouns.replace(' ', '_')}",
            f"payload.{key} must name the {nouns} to remove: 1 to {REMOVED_MAX:,} of them.",
        )
    return names


def refuse_what_is_used(
    cause: str,
    noun: str,
    gone: int,
    usage: Usage,
    names: Callable[[Any], str],
    instead: str = ADD_OR_ALLOW,
) -> None:
    """Raise Refusal if entries use what would be removed.

    `names` gives the words for a key of `usage`, `instead` what to do about it.
    """
    used = sorted(usage.by_key, key=lambda key: (-usage.by_key[key], str(key)))
    if not used:
        return
    would = "would no longer be in force" if noun == "factor" else "would be removed"
    use = "uses" if usage.entries == 1 else "use"
    entries = pluralize(usage.entries, "entry", "entries")
    raise Refusal(
        cause,
        f"Nothing was changed: {pluralize(gone, noun)} {would}, and {entries} {use}"
        f" {named_in_short(map(names, used))}.",
        f"{instead} with --yes.",
    )


def refuse_to_replace_by_mended(job: ClaimedJob, noun: str) -> None:
    """Raise Refusal if nobody consents that a file of mended rows replaces all others.

    `noun` says what the rows are, in the plural.
    """
    if has_consent(job):
        return
    raise Refusal(
        "mended_rows_replace",
        f"Nothing was changed: the file has only {noun} that were rejected (it has the column"
        f" {ROW_COLUMN} or {REASON_COLUMN}), and all other {noun} would be removed. Leave"
        " out --replace to add to them, or allow the removal with --yes.",
    )


def named_in_short(words: Iterable[str]) -> str:
    """The first NAMED_MAX of some names, and how many more there are."""
    several = list(words)
    named = ", ".join(several[:NAMED_MAX])
    more = len(several) - NAMED_MAX
    return f"{named} and {more:,} more of them" if more > 0 else named
