"""Conditions and ranges of requests, which the headers of HTTP state."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from tessera_local.s3.disk_store import Stored
from tessera_local.s3.protocol.answers import NotModified, S3Error

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def check_reading(headers: Mapping[str, str], item: Stored) -> None:
    """Check the conditions of a GET or HEAD.

    Raises
    ------
    S3Error
        If the object is not the one that the client wants.
    NotModified
        If the client has the object.
    """
    match, unmodified = headers.get("If-Match"), headers.get("If-Unmodified-Since")
    if match is not None:
        if not _names(match, item.etag):
            raise _failed("If-Match")
    elif unmodified is not None and item.modified > _time(unmodified, item.modified):
        raise _failed("If-Unmodified-Since")
    no_match, since = headers.get("If-None-Match"), headers.get("If-Modified-Since")
    if no_match is not None:
        if _names(no_match, item.etag):
            raise NotModified
    elif since is not None and item.modified <= _time(since, item.modified - 1):
        raise NotModified


def check_writing(headers: Mapping[str, str], item: Stored | None, key: str) -> None:
    """Check the conditions of a write, whose key has `item` now.

    Raises
    ------
    S3Error
        If the key has not what the client wants to replace.
    """
    new, match = headers.get("If-None-Match"), headers.get("If-Match")
    if new is not None and new != "*":
        raise S3Error("NotImplemented", "If-None-Match of a write can be * only.")
    if new and item:
        raise _failed("If-None-Match")
    if match is not None and item is None:
        raise S3Error("NoSuchKey", f"The key {key} does not exist.")
    if match is not None and item and not _names(match, item.etag):
        raise _failed("If-Match")


def find_range(text: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for; None if it asks for all, or says nothing that S3 understands.

    Raises
    ------
    S3Error
        If the range begins behind the last byte.
    """
    match = _RANGE.fullmatch(text or "")
    if not match or not (match[1] or match[2]):
        return None
    if match[1]:
        first, last = int(match[1]), int(match[2]) if match[2] else size - 1
        if match[2] and last < first:
            return None
    else:
        first, last = max(0, size - int(match[2])), size - 1
    if first >= size:
        raise S3Error("InvalidRange", "The requested range is not satisfiable")
    return first, min(last, size - 1)


def _names(text: str, etag: str) -> bool:
    """Whether a list of ETags has one."""
    named = {name.strip().removeprefix("W/").strip('"') for name in text.split(",")}
    return "*" in named or etag in named


def _time(text: str, default: int) -> int:
    """Seconds since 1970 of a date of HTTP; `default` if it is none."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except ValueError:
        return default


def _failed(condition: str) -> S3Error:
    return S3Error("PreconditionFailed", f"At least one of the pre-conditions you specified did not hold: {condition}")
