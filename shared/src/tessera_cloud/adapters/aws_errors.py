"""Turns errors of boto3 and obstore into errors of the ports. No other module does so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError

from tessera_cloud.errors import (
    FatalError,
    ForbiddenError,
    NoSuchUploadError,
    ObjectChangedError,
    ObjectMissingError,
    TransientError,
)
from tessera_cloud.patience import SlowDownError

_T = TypeVar("_T")
_CODES: dict[type[Exception], tuple[str, ...]] = {
    NoSuchUploadError: ("NoSuchUpload",),
    ObjectMissingError: (
        "404",  # a HEAD has no body that names the error
        "AWS.SimpleQueueService.NonExistentQueue",
        "ExecutionDoesNotExist",
        "NoSuchKey",
        "NotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    ),
    ObjectChangedError: (
        "412",
        "ConditionalCheckFailedException",
        "ConditionalRequestConflict",
        "PreconditionFailed",
    ),
    ForbiddenError: (
        "403",
        "AccessDenied",
        "AllAccessDisabled",
    ),
    TransientError: (
        "InternalError",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
    ),
}
_BY_CODE = {code: kind for kind, codes in _CODES.items() for code in codes}
# An error of obstore has no status, only text: "... returned non-2xx status code: 503 Service Unavailable: ...".
_BUSY = re.compile(r"status code: (503|429)\b")
_BODY = re.compile(r"<(?:\?xml|Error\b).*", re.DOTALL)


def code_of(error: ClientError) -> str:
    """Code that the service gave an error, such as ``NoSuchKey``; empty if it gave no code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _is_transient(status: int) -> bool:
    return status >= 500 or status == 429


def call_error(error: ClientError, what: str) -> Exception:
    """Turn an error of a boto3 client into an error of the ports, by its code or else by its HTTP status.

    Parameters
    ----------
    error : ClientError
        Error that botocore raised.
    what : str
        Description of the call, such as ``head s3://bucket/key``. The message begins with it.

    Returns
    -------
    Exception
        Error to raise. It is a `FatalError` if neither code nor status is known.
    """
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    kind = _BY_CODE.get(code) or (TransientError if _is_transient(status) else None)
    return kind(f"{what}: {code}") if kind else FatalError(f"{what}: {error}")


def read_error(error: BaseError, what: str) -> Exception:
    """Turn an error of an obstore GET into an error of the ports, by its class.

    Parameters
    ----------
    error : BaseError
        Error that obstore raised. The message has only the first line of its text, because the rest fills pages, and
        only the code of S3's answer, because the answer may repeat the token of the request.
    what : str
        Description of the call, such as ``read s3://bucket/key``. The message begins with it.

    Returns
    -------
    Exception
        Error to raise. It is a `SlowDownError` if S3 asks for fewer requests.
    """
    text = str(error)
    code = re.search(r"<Code>(\w+)</Code>", text)
    reason = _BODY.sub(code[1] if code else "", text.split("\n", 1)[0]).strip()
    if isinstance(error, PreconditionError):
        return ObjectChangedError(f"{what}: the object has been replaced, its ETag differs")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return ForbiddenError(f"{what}: {reason}")
    return (SlowDownError if _BUSY.search(reason) else TransientError)(f"{what}: {reason}")


def call(what: str, operation: Callable[..., _T], **arguments: Any) -> _T:
    """Call a method of a boto3 client, and raise errors of the ports instead of its errors."""
    try:
        return operation(**arguments)
    except ClientError as error:
        raise call_error(error, what) from error
    except BotoCoreError as error:
        raise TransientError(f"{what}: {error}") from error
