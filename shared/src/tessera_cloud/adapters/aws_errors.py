"""What the answers of DynamoDB, SQS and Step Functions mean to us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from tessera_cloud.errors import FatalError, ObjectChangedError, ObjectMissingError, TransientError

_T = TypeVar("_T")
_CHANGED = frozenset({"ConditionalCheckFailedException"})
_MISSING = frozenset(
    {
        "ResourceNotFoundException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "ExecutionDoesNotExist",
        "StateMachineDoesNotExist",
    }
)
_TRANSIENT = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
    }
)


def code_of(error: ClientError) -> str:
    """The service's name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _translate(error: ClientError, what: str) -> Exception:
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _CHANGED:
        return ObjectChangedError(f"{what}: {code}")
    if code in _MISSING:
        return ObjectMissingError(f"{what}: {code}")
    if code in _TRANSIENT or status >= 500 or status == 429:
        return TransientError(f"{what}: {code}")
    return FatalError(f"{what}: {error}")


def call(what: str, operation: Callable[..., _T], **arguments: Any) -> _T:
    """Call a method of a boto3 client; its errors become those of the ports."""
    try:
        return operation(**arguments)
    except ClientError as error:
        raise _translate(error, what) from error
    except BotoCoreError as error:
        raise TransientError(f"{what}: {error}") from error
