"""The multipart upload that all executions of a build share: begun once, found again, aborted if it is of no use."""

from __future__ import annotations

from tessera_cloud import keys
from tessera_cloud.application.builds.plan_document import BuildStore, read_plan
from tessera_cloud.application.results import exists
from tessera_cloud.contracts import FailedState, FailureNote, PlanRef, TaskFailure, UploadRecord, UploadRef
from tessera_cloud.errors import NoSuchUploadError, ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.ports import ObjectReader, Uploads

RESUMABLE = frozenset(
    {
        "TransientError",
        "UnfinishedBuildError",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.TooManyRequestsException",
        "Lambda.Unknown",
        "Sandbox.Timedout",
        "Runtime.ExitError",
        "States.Timeout",
        "States.ExceedToleratedFailureThreshold",
    }
)
"""Errors after which the upload stays, so that a new execution finds the finished blocks."""
_ATTEMPTS = 5


def _recorded_upload(ref: PlanRef, store: ObjectReader) -> tuple[str | None, str | None]:
    """Id of the upload of an earlier execution, and ETag of its record; both None if there is no record."""
    try:
        data, info = store.read(ref.bucket, keys.upload_record(ref.prefix))
    except ObjectMissingError:
        return None, None
    return UploadRecord.model_validate_json(data).upload_id, info.etag


def _is_open(upload: UploadRef, store: Uploads) -> bool:
    if upload.upload_id is None:
        return False
    try:
        store.list_parts(upload.bucket, upload.key, upload.upload_id, count=1)
    except NoSuchUploadError:
        return False
    return True


def begin_upload(plan: PlanRef, *, store: BuildStore) -> UploadRef:
    """Find the unfinished upload of a build, or begin it.

    Returns
    -------
    UploadRef
        Reference to the upload. It has no upload id if the cube of this build exists already.

    Raises
    ------
    TransientError
        If other executions changed the record of the upload too often.
    """
    key = read_plan(store, plan.bucket, plan.prefix).cube_key
    for _ in range(_ATTEMPTS):
        earlier, etag = _recorded_upload(plan, store)
        upload = UploadRef(bucket=plan.bucket, key=key, upload_id=earlier)
        if _is_open(upload, store):
            return upload
        if exists(store, plan.bucket, key):
            return UploadRef(bucket=plan.bucket, key=key, upload_id=None)
        upload_id = store.begin_upload(plan.bucket, key)
        record = UploadRecord(upload_id=upload_id).model_dump_json().encode()
        try:
            where = keys.upload_record(plan.prefix)
            store.write(plan.bucket, where, record, only_over=etag, only_new=etag is None)
        except ObjectChangedError:
            store.abort_upload(plan.bucket, key, upload_id)  # another execution was faster: use its upload
            continue
        return UploadRef(bucket=plan.bucket, key=key, upload_id=upload_id)
    raise TransientError(f"the record of the upload of s3://{plan.bucket}/{key} changed {_ATTEMPTS} times")


def _first_failure(state: FailedState, store: ObjectReader) -> TaskFailure:
    """Error of the block that failed for good, if a block left a note; else the error that the state machine caught."""
    try:
        data, _ = store.read(state.plan.bucket, keys.failure(state.plan.prefix))
    except ObjectMissingError:
        return state.error
    note = FailureNote.model_validate_json(data)
    if note.upload_id != state.upload.upload_id:
        return state.error  # the note is from an execution before this upload
    return TaskFailure.model_validate({"Error": note.error, "Cause": note.cause})


def abort_upload(state: FailedState, *, store: BuildStore) -> tuple[TaskFailure, bool]:
    """End a failed build: abort its upload, or keep the upload if a new execution may succeed.

    Returns
    -------
    TaskFailure
        Error that stopped the build.
    bool
        Whether the upload was aborted.
    """
    failure, upload = _first_failure(state, store), state.upload
    if failure.error in RESUMABLE or upload.upload_id is None:
        return failure, False
    store.abort_upload(upload.bucket, upload.key, upload.upload_id)
    return failure, True
