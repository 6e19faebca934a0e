"""Calls of an object store, whose failures become sentences without anything secret."""

import errno
import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, from_url

from worker_service.blobs.store import ObjectStoreFailed

Answer = TypeVar("Answer")

ALLOW_HTTP = "AWS_ALLOW_HTTP"
CONNECT_SECONDS, CALL_SECONDS = 5, 120
RETRIES_MAX, RETRY_SECONDS = 3, 20
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"})
_FULL_STATUS = "507"
_DENIED = frozenset({"401", "403"})
# S3 says 400 of temporary credentials that have expired.
_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"}
)
_NO_BUCKET = "NoSuchBucket"
_WITHOUT_BUCKET = "there is no such bucket: make it, or correct its name"


class NotThere(Exception):
    """There is no such object; or no such bucket, which a store may not tell apart."""


def open_store(url: str) -> ObjectStore:
    """The store of a URL, with the credentials that the environment gives; asks it nothing.

    Raises ObjectStoreFailed. What the library says of a credential may quote it.
    """
    try:
        return from_url(
            url,
            client_options={
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=CALL_SECONDS),
                # Options that are given replace those that the library reads by itself.
                "allow_http": os.environ.get(ALLOW_HTTP, "").lower() == "true",
            },
            retry_config={
                "max_retries": RETRIES_MAX,
                "retry_timeout": timedelta(seconds=RETRY_SECONDS),
            },
        )
    except (BaseError, ValueError):
        raise ObjectStoreFailed(
            errno.EINVAL,
            f"{url} cannot be opened with the account and the credentials of this environment:"
            " one of them is missing, or cannot be read",
        ) from None


def asked(call: Callable[[], Answer]) -> Answer:
    """The answer of a call of the store. Blocks.

    Raises NotThere, AlreadyExistsError or ObjectStoreFailed. What the library says is not passed
    on: it may quote the request, with the key that signed it.
    """
    try:
        return call()
    except FileNotFoundError:
        raise NotThere from None
    except AlreadyExistsError:
        raise
    except BaseError as error:
        raise _failure(str(error)) from None
    except OSError as error:
        raise ObjectStoreFailed(error.errno, f"its file cannot be read: {error.strerror}") from None


def written(call: Callable[[], object]) -> None:
    """Makes a call that writes. Blocks. Raises AlreadyExistsError or ObjectStoreFailed."""
    try:
        asked(call)
    except NotThere:
        # What is written need not be there, so it is what it would be in.
        raise ObjectStoreFailed(errno.ENOENT, _WITHOUT_BUCKET) from None


def take_away(objects: ObjectStore, name: str) -> None:
    """Deletes an object, also one that is gone: some stores say so. Blocks.

    Raises ObjectStoreFailed.
    """
    with suppress(NotThere):
        asked(lambda: obstore.delete(objects, name))


def _failure(said: str) -> ObjectStoreFailed:
    status, code = _STATUS.search(said), _CODE.search(said)
    number, word = (found[1] if found else "" for found in (status, code))
    named = " ".join(filter(None, (number, word)))
    if word in _FULL or number == _FULL_STATUS:
        return ObjectStoreFailed(errno.ENOSPC, f"the object store is full ({named})")
    if word == _NO_BUCKET:
        return ObjectStoreFailed(errno.ENOENT, _WITHOUT_BUCKET)
    if number in _DENIED or word in _EXPIRED:
        return ObjectStoreFailed(
            errno.EACCES,
            f"the object store refuses access ({named}): check the credentials of this process, and"
            " what they may do",
        )
    if "redirect" in said:
        return ObjectStoreFailed(
            errno.EIO, "the bucket is in another region: AWS_REGION must name it"
        )
    if number:
        return ObjectStoreFailed(errno.EIO, f"the object store answers with an error ({named})")
    return ObjectStoreFailed(
        errno.EHOSTUNREACH,
        "the object store does not answer, or there are no credentials in the environment",
    )
