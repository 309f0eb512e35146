"""What the errors of boto3 and obstore mean to us: the one place where a failed call becomes an error of the ports."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError

from tessera_cloud.errors import FatalError, NoSuchUploadError, ObjectChangedError, ObjectMissingError, TransientError
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
# obstore's errors have no status, only a text: "... returned non-2xx status code: 503 Service Unavailable: ...".
_BUSY = re.compile(r"status code: (503|429)\b")


def code_of(error: ClientError) -> str:
    """The service's name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _is_transient(status: int) -> bool:
    return status >= 500 or status == 429


def call_error(error: ClientError, what: str) -> Exception:
    """What an error of a boto3 client means: by its code, else by its HTTP status.

    Parameters
    ----------
    error : ClientError
        As botocore raised it.
    what : str
        What was asked for; begins the message.
    """
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    kind = _BY_CODE.get(code) or (TransientError if _is_transient(status) else None)
    return kind(f"{what}: {code}") if kind else FatalError(f"{what}: {error}")


def read_error(error: BaseError, what: str) -> Exception:
    """What a failed GET of obstore means: by its class, and `SlowDownError` where S3 wants fewer requests.

    Parameters
    ----------
    error : BaseError
        As obstore raised it. Only the first line of its text is told; the rest goes on for pages.
    what : str
        What was asked for; begins the message.
    """
    reason = str(error).split("\n", 1)[0]
    if isinstance(error, PreconditionError):
        return ObjectChangedError(f"{what}: it is no longer the object that was planned for")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return FatalError(f"{what}: {reason}")
    return (SlowDownError if _BUSY.search(reason) else TransientError)(f"{what}: {reason}")


def call(what: str, operation: Callable[..., _T], **arguments: Any) -> _T:
    """Call a method of a boto3 client; its errors become those of the ports."""
    try:
        return operation(**arguments)
    except ClientError as error:
        raise call_error(error, what) from error
    except BotoCoreError as error:
        raise TransientError(f"{what}: {error}") from error
