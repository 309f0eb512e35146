"""What a failed call of AWS means: told by its code, else by its HTTP status."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tessera_cloud.adapters.aws_errors import call
from tessera_cloud.errors import (
    FatalError,
    ForbiddenError,
    NoSuchUploadError,
    ObjectChangedError,
    ObjectMissingError,
    TransientError,
)


def failing(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NoSuchKey", 404, ObjectMissingError),
        ("404", 404, ObjectMissingError),
        ("NoSuchUpload", 404, NoSuchUploadError),
        ("ResourceNotFoundException", 400, ObjectMissingError),
        ("PreconditionFailed", 412, ObjectChangedError),
        ("ConditionalRequestConflict", 409, ObjectChangedError),
        ("ConditionalCheckFailedException", 400, ObjectChangedError),
        ("RequestTimeout", 400, TransientError),
        ("ThrottlingException", 400, TransientError),
        ("SlowDown", 503, TransientError),
        ("InternalError", 200, TransientError),  # S3 may fail to complete an upload after it has answered 200
        ("503", 503, TransientError),
        ("SomethingNew", 500, TransientError),
        ("SomethingNew", 429, TransientError),
        ("SomethingNew", 400, FatalError),
        ("AccessDenied", 403, ForbiddenError),
    ],
)
def test_an_error_is_told_by_its_code_else_by_its_status(code: str, status: int, kind: type[Exception]) -> None:
    def operation() -> None:
        raise failing(code, status)

    with pytest.raises(kind, match=f"read a record: .*{code}") as caught:
        call("read a record", operation)
    assert type(caught.value) is kind


def test_no_answer_at_all_may_pass() -> None:
    def operation() -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with pytest.raises(TransientError, match="read a record"):
        call("read a record", operation)
