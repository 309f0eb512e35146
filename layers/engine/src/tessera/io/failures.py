"""Turn every failure of obstore, fsspec and the packages below them into one error of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from tessera.errors import InvalidValueError, MissingRemoteFileError, RemoteError, UnreadableFileError
from tessera.extras import EXTRAS, MissingPackageError
from tessera.io.locations import shown

NO_RANGES, HALF_RANGES = 200, 206
"""Statuses of errors that say: the server sends only whole files, or does not say which part it sent."""

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>|An error occurred \((\w+)\)")
_INSTALL = re.compile(r"(?:[Ii]nstall (?:the )?|requires )[\"']?(?!to\b)([a-z][a-z0-9_-]*)")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"',)]+", re.IGNORECASE)
_HALF = ("Content-Length Header missing", "Content-Range header not present", "CONTENT_RANGE", "UnexpectedRange")

_REASONS = {
    r"dns error|Name or service not known|nodename nor servname|Temporary failure in name": (
        "its host is not known, or there is no network"
    ),
    r"Connection ?[Rr]efused|Connect call failed": "its host refuses the connection",
    r"TooManyRedirects": "the server redirects without end",
    r"certificate|InvalidContentType|SSL|Tls": "no secure connection (https) to its host can be made",
    r"TimedOut|Timeout|timed out": "the server does not answer in time",
    r"IncompleteBody|body error|Interrupted|ConnectionReset|payload is not completed": (
        "the connection broke before all bytes were received"
    ),
    r"Unable to locate credentials|NoCredentials": "no AWS credentials were found",
    r"InvalidPath|Could not parse path": "a key with '//', '/./' or '/../' needs filesystem=s3fs.S3FileSystem()",
    r"Connect": "its host cannot be reached",
}
_PARTS = {
    NO_RANGES: "the server sends only whole files",
    HALF_RANGES: "the server does not say which part of the file it sent",
}
_DETAILS = {
    401: "it needs a login",
    403: "access is not allowed",
    416: "the file is empty or shorter than expected",
    429: "too many requests; try again later",
}


@contextmanager
def as_remote_error(url: str) -> Iterator[None]:
    """Raise `RemoteError` instead of any error of the packages that read remote files.

    An interrupt of the user and errors of ours pass. obstore's panics are no `Exception`; they do not pass.
    """
    try:
        yield
    except (UnreadableFileError, InvalidValueError, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        raise remote_error(url, error) from None  # the original's text has the secrets of a URL


def remote_error(url: str, error: BaseException) -> RemoteError:
    """Describe a failure in one line.

    Parameters
    ----------
    url : str
        URL that was read; its secrets are not shown.
    error : BaseException
        Error that was raised.
    """
    name, text = shown(url), _text(error)
    status = _status(error, text)
    match = _CODE.search(text)
    code = (match[1] or match[2]) if match else ""
    if isinstance(error, FileNotFoundError) or status == HTTPStatus.NOT_FOUND:
        return MissingRemoteFileError(name, f"there is no such {'bucket' if code == 'NoSuchBucket' else 'file'}", 404)
    if isinstance(error, PermissionError):
        status = status or HTTPStatus.FORBIDDEN.value
    return RemoteError(name, _reason(error, text) if status is None else _answer(status, code), status)


def network_reason(text: str) -> str:
    """Plain words for what a package says of the network; empty if it says something else."""
    return next((reason for signs, reason in _REASONS.items() if re.search(signs, text)), "")


def _text(error: BaseException) -> str:
    """Text of an error, of its class and of its cause."""
    cause = error.__cause__
    return f"{error}\n{type(error).__name__}" + (f"\n{cause}\n{type(cause).__name__}" if cause else "")


def _status(error: BaseException, text: str) -> int | None:
    if type(error).__name__ == "NotSupportedError" and "ange request not supported" in text:
        return NO_RANGES
    if any(part in text for part in _HALF):
        return HALF_RANGES
    for item in (error, error.__cause__):
        answer = getattr(item, "response", None)
        known = answer.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(answer, dict) else None
        status = known or getattr(item, "status", None) or getattr(item, "code", None)
        if isinstance(status, int) and 300 <= status < 600:
            return status
    match = _STATUS.search(text)
    return int(match[1]) if match else 301 if "without LOCATION" in text else None


def _answer(status: int, code: str) -> str:
    if status in _PARTS:
        return _PARTS[status]
    phrase = next((known.phrase for known in HTTPStatus if known == status), "")
    detail = _DETAILS.get(status, "the server fails; try again later" if status >= 500 else "")
    words = " ".join(part for part in (str(status), phrase) if part)
    return f"the server answers {words}" + (f" ({code})" if code else "") + (f": {detail}" if detail else "")


def _reason(error: BaseException, text: str) -> str:
    if type(error).__name__ == "PanicException":
        return "it is not a valid address"
    if isinstance(error, ImportError):
        package = (error.name or "").partition(".")[0]
        if package in EXTRAS:
            return str(MissingPackageError(package, "such addresses"))
        if wanted := _INSTALL.search(str(error)):  # fsspec says so which package a scheme needs
            return f"such addresses need the package {wanted[1]}; pip install {wanted[1]}"
        return f"a package is missing: {error}"
    if reason := network_reason(text):
        return reason
    first = str(error).strip().partition("\n")[0] or type(error).__name__
    return _URL.sub(lambda match: shown(match[0]), first)[:200]
