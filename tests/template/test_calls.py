"""The real handlers do their work within the policies of the template: what one calls and may not, fails here.

Nothing else on this machine checks permissions. The store answers as S3 does: a missing object is 404 to those who may
list the bucket, and 403 to others.
"""

import itertools
import json
from typing import Any

import pytest

from tessera.sky.wcs import frame_wcs
from tessera_cloud.errors import FatalError
from tessera_cloud.ports import StateItem
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS, at, frame_key, put_frames
from tests.support.frames import centred_wcs, tiny_sector
from tests.support.handlers import Handlers, sample_event
from tests.template.documents import as_list, functions, statements, states
from tests.template.reviewed import CUBES, FRAMES, RESULTS
from tests.template.test_permissions import to_bucket_and_path

BUCKETS = {SETTINGS.ffi_bucket: FRAMES, SETTINGS.cube_bucket: CUBES, SETTINGS.result_bucket: RESULTS}
ACTIONS = {
    "list": "s3:ListBucket",
    "head": "s3:GetObject",
    "read": "s3:GetObject",
    "read_range": "s3:GetObject",
    "presign": "s3:GetObject",
    "write": "s3:PutObject",
    "begin_upload": "s3:PutObject",
    "upload_part": "s3:PutObject",
    "complete_upload": "s3:PutObject",
    "list_parts": "s3:ListMultipartUploadParts",
    "list_uploads": "s3:ListBucketMultipartUploads",
    "abort_upload": "s3:AbortMultipartUpload",
    "delete": "s3:DeleteObject",
}
CALLS = {
    "get": {"dynamodb:GetItem"},
    "put": {"dynamodb:PutItem"},
    "query": {"dynamodb:Query"},
    "remove": {"dynamodb:DeleteItem"},
    "add": {"dynamodb:UpdateItem"},
    "close": {"s3:GetBucketPolicy", "s3:PutBucketPolicy"},
    "rings_since": {"cloudwatch:DescribeAlarms"},
    "open": {"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"},
    "send": {"sqs:SendMessage"},
    "start": {"states:StartExecution", "states:DescribeExecution"},
    "describe": {"states:DescribeExecution"},
    "list_executions": {"states:ListExecutions"},
    "stop": {"states:StopExecution", "states:DescribeExecution"},
}
"""What a call of the other ports needs, as their adapters make it."""
OF_STATE = {"get", "put", "query", "remove", "add"}
"""Calls about the table of records, which begin with the kind of the record, or with a record."""
ABOUT_BUCKETS = {"s3:ListBucket", "s3:ListBucketMultipartUploads"}
SHAPE = (1200, 500)
REQUEST = {"sector": 1, "camera": 4, "ccd": 2}


class PolicedStore(MemoryStore):
    """A store that lets the function at work do what its policy allows."""

    function: str | None = None

    def _note(self, operation: str, bucket: str, key: str) -> None:
        self.demand(ACTIONS[operation], bucket, key)
        super()._note(operation, bucket, key)

    def _get(self, bucket: str, key: str) -> bytes:
        if (bucket, key) not in self.objects:
            self.demand("s3:ListBucket", bucket, key)
        return super()._get(bucket, key)

    def write(self, bucket: str, key: str, data: bytes, *, only_over: str | None = None, only_new: bool = False) -> str:
        if only_over is not None:
            self.demand("s3:GetObject", bucket, key)
        return super().write(bucket, key, data, only_over=only_over, only_new=only_new)

    def presign(self, bucket: str, key: str, seconds: int, file_name: str, content_type: str = "") -> str:
        self.demand("s3:GetObject", bucket, key)
        return super().presign(bucket, key, seconds, file_name, content_type)

    def presign_upload(self, bucket: str, key: str, seconds: int, n_bytes: int) -> str:
        self.demand("s3:PutObject", bucket, key)
        return super().presign_upload(bucket, key, seconds, n_bytes)

    def demand(self, action: str, bucket: str, key: str) -> None:
        if self.function is not None and not is_allowed(self.function, action, BUCKETS[bucket], key):
            raise FatalError(f"AccessDenied: {self.function} may not {action} on {BUCKETS[bucket]}/{key}")


def is_allowed(function: str, action: str, bucket: str, key: str) -> bool:
    for statement in statements(function):
        for resource in as_list(statement["Resource"]):
            of, path = to_bucket_and_path(resource)
            matches = not path if action in ABOUT_BUCKETS else path and f"/{key}".startswith(path.removesuffix("*"))
            if of == bucket and matches and action in as_list(statement["Action"]):
                return True
    return False


def has_kind(function: str, action: str, kind: str) -> bool:
    """Whether a function may do something to the records of a kind, which is the leading key of the table."""
    for statement in statements(function):
        if action in as_list(statement["Action"]):
            kinds = statement.get("Condition", {}).get("ForAllValues:StringEquals", {}).get("dynamodb:LeadingKeys")
            if kinds is None or kind in kinds:
                return True
    return False


class PolicedPort:
    """A port that lets the function at work make the calls that its policy allows."""

    def __init__(self, port: Any, store: PolicedStore) -> None:
        self._port, self._store = port, store

    def __getattr__(self, name: str) -> Any:
        function = self._store.function
        granted = (
            {action for grant in statements(function) for action in as_list(grant["Action"])} if function else None
        )
        if granted is not None and not CALLS[name] <= granted:
            raise FatalError(f"AccessDenied: {function} may not {CALLS[name] - granted}")
        call = getattr(self._port, name)
        if function is None or name not in OF_STATE:
            return call

        def held(of: str | StateItem, *more: Any, **named: Any) -> Any:
            kind = of if isinstance(of, str) else of.kind
            denied = {action for action in CALLS[name] if not has_kind(function, action, kind)}
            if denied:
                raise FatalError(f"AccessDenied: {function} may not {denied} on records of the kind {kind}")
            return call(of, *more, **named)

        return held


class PolicedHandlers(Handlers):
    """The functions, each held to its policy."""

    def __init__(self, store: PolicedStore) -> None:
        super().__init__(store)
        names = ("state", "queue", "executions", "links", "alarms")
        vars(self.services).update({name: PolicedPort(getattr(self, name), store) for name in names})

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        store = self.services.store
        assert isinstance(store, PolicedStore)
        store.function = "".join(word.capitalize() for word in name.split("_")) + "Function"
        assert store.function in functions()
        try:
            return super().invoke(name, event)
        finally:
            store.function = None


@pytest.fixture
def handlers() -> PolicedHandlers:
    store = PolicedStore()
    put_frames(store, tiny_sector(3, SHAPE))
    return PolicedHandlers(store)


def begin(handlers: Handlers, **options: Any) -> dict[str, Any]:
    plan = handlers.invoke("plan_cube", REQUEST | options)
    return {**REQUEST, "plan": plan, "upload": handlers.invoke("begin_upload", plan)}


def build_blocks(handlers: Handlers, state: dict[str, Any]) -> None:
    """Each block with the item that the machine makes for it."""
    selected = states("CubeBuildStateMachine")["BuildBlocks"]["ItemSelector"]["plan"]
    plan = {name.removesuffix(".$"): state["plan"][name.removesuffix(".$")] for name in selected}
    for block in state["plan"]["blocks"]:
        handlers.invoke("build_block", {"plan": plan, "upload": state["upload"], "block": block})


def build(handlers: Handlers, **options: Any) -> dict[str, Any]:
    state = begin(handlers, **options)
    build_blocks(handlers, state)
    cube: dict[str, Any] = handlers.invoke("complete_upload", state)
    return cube


def ask(handlers: Handlers, path: str, **query: str) -> dict[str, Any]:
    event = sample_event("cutout_api")
    event["path"] = event["resource"] = event["requestContext"]["resourcePath"] = f"/tesscut/api/v0.1/{path}"
    event["httpMethod"] = event["requestContext"]["httpMethod"] = "GET"
    event["body"] = None
    event["queryStringParameters"] = query
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    answer: dict[str, Any] = handlers.invoke("cutout_api", event)
    return answer


def centre() -> dict[str, str]:
    column, row = SHAPE[1] / 2, SHAPE[0] / 2
    ra, dec = frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world([[column, row]], 0)[0]
    return {"ra": str(ra), "dec": str(dec)}


def test_a_call_without_a_grant_is_noticed(handlers: PolicedHandlers) -> None:
    store = handlers.services.store
    assert isinstance(store, PolicedStore)
    store.function = "AbortUploadFunction"

    with pytest.raises(FatalError, match="may not s3:PutObject on CubeBucket/cubes/x"):
        store.begin_upload(SETTINGS.cube_bucket, "cubes/x")
    with pytest.raises(FatalError, match="may not s3:GetObject on FfiBucket"):
        store.read(SETTINGS.ffi_bucket, "x")


def test_a_build_is_allowed_to_do_what_it_does(handlers: PolicedHandlers) -> None:
    assert build(handlers)["obs_id"] == "tess-s0001-4-2"


def test_a_cube_may_be_measured(handlers: PolicedHandlers) -> None:
    state, cube = begin(handlers), build(handlers)
    measured = {"plan": {name: state["plan"][name] for name in ("bucket", "prefix")}, "cube": cube}
    for block in state["plan"]["blocks"]:
        assert handlers.invoke("measure_block", measured | {"block": block})["measured"]
    assert len(handlers.invoke("write_measures", measured)["keys"]) > 1
    assert handlers.invoke("write_measures", measured)["keys"] == []


def test_a_cube_may_grow_twice_and_be_cut(handlers: PolicedHandlers) -> None:
    build(handlers)
    for n in (4, 5):
        put_frames(handlers.services.store, tiny_sector(n, SHAPE)[n - 1 :])
        assert len(build(handlers, grow=True)["segments"]) == n - 2
    assert ask(handlers, "astrocut", **centre(), x="3", y="3")["statusCode"] == 200


def test_a_build_may_run_again(handlers: PolicedHandlers) -> None:
    first = build(handlers)

    assert build(handlers)["key"] == first["key"]


def test_a_build_may_be_taken_up_where_it_stopped(handlers: PolicedHandlers) -> None:
    build_blocks(handlers, begin(handlers))

    assert build(handlers)["obs_id"] == "tess-s0001-4-2"


@pytest.mark.parametrize("error", ["FatalError", "TransientError"])
def test_a_build_may_be_given_up(handlers: PolicedHandlers, error: str) -> None:
    state = begin(handlers)
    build_blocks(handlers, state)
    cause = json.dumps({"errorType": error, "errorMessage": "planted"})

    assert handlers.invoke("abort_upload", {**state, "error": {"Error": error, "Cause": cause}})


def ingest(handlers: Handlers) -> list[dict[str, Any]]:
    """Let the function list the sector, and the messages that must come again."""
    record = {"messageId": "check", "body": json.dumps({"sweep": "SPOC/s0001"})}
    failed: list[dict[str, Any]] = handlers.invoke("ingest", {"Records": [record]})["batchItemFailures"]
    return failed


def test_ingest_may_keep_what_it_saw_and_start_builds(
    handlers: PolicedHandlers, caplog: pytest.LogCaptureFixture
) -> None:
    handlers.clock = (at(hour)() for hour in itertools.count()).__next__
    put_frames(handlers.services.store, tiny_sector(4, SHAPE))
    names = [name for name, _ in tiny_sector(4, SHAPE)]
    for name in names[:3]:
        assert ingest(handlers) == []
        forget(handlers, name)
    assert handlers.invoke("ingest", sample_event("ingest"))["batchItemFailures"] == []
    assert handlers.invoke("ingest", {"source": "aws.events"}) == {"asked": 1}
    for _ in range(30):
        assert ingest(handlers) == []
    assert [name[:9] for _, name in handlers.executions.executions] == ["s0001-4-2"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def forget(handlers: Handlers, name: str) -> None:
    store = handlers.services.store
    assert isinstance(store, PolicedStore)
    del store.objects[SETTINGS.ffi_bucket, frame_key(name)]


def test_a_call_of_another_port_without_a_grant_is_noticed(handlers: PolicedHandlers) -> None:
    store = handlers.services.store
    assert isinstance(store, PolicedStore)
    store.function = "IngestFunction"

    with pytest.raises(FatalError, match=r"may not .*states:StopExecution"):
        handlers.services.executions.stop("machine", "name", "")


def test_the_api_may_answer_before_there_is_a_cube(handlers: PolicedHandlers) -> None:
    assert ask(handlers, "sector", **centre())["statusCode"] < 500


def test_the_api_may_cut(handlers: PolicedHandlers) -> None:
    build(handlers)

    assert ask(handlers, "astrocut", **centre(), x="3", y="3")["statusCode"] == 200


def test_the_api_may_store_a_large_cutout_and_link_to_it(
    handlers: PolicedHandlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    build(handlers)

    assert ask(handlers, "astrocut", **centre(), x="9", y="9")["statusCode"] == 303
