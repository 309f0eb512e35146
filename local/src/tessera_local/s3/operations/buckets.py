"""Operations on buckets and their settings."""

from http import HTTPStatus

from aiohttp import web

from tessera_local.s3.disk_store import DiskStore
from tessera_local.s3.protocol.answers import S3Error, parse_xml, xml_answer
from tessera_local.s3.protocol.bodies import read_document
from tessera_local.s3.protocol.calls import Call

_MISSING = {
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "lifecycle": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
}


class Buckets:
    """Operations on the buckets of a store."""

    def __init__(self, store: DiskStore) -> None:
        self._store = store

    async def create(self, call: Call) -> web.StreamResponse:
        """CreateBucket. In this region it succeeds if the bucket is there."""
        await read_document(call)
        self._store.create_bucket(call.bucket)
        return web.Response(headers={"Location": f"/{call.bucket}"})

    async def head(self, _call: Call) -> web.StreamResponse:
        """HeadBucket."""
        return web.Response()

    async def delete(self, call: Call) -> web.StreamResponse:
        """DeleteBucket."""
        if next(self._store.listing(call.bucket), None):
            raise S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty")
        self._store.delete_bucket(call.bucket)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def locate(self, _call: Call) -> web.StreamResponse:
        """GetBucketLocation: the first region has no name."""
        return xml_answer("LocationConstraint", "")

    async def get_setting(self, call: Call) -> web.StreamResponse:
        """GetBucketCors and the like: the document as the client sent it."""
        name = call.operation[2]
        body = self._store.setting(call.bucket, name)
        if body is None and name in _MISSING:
            raise S3Error(*_MISSING[name])
        if body is None:
            return xml_answer("NotificationConfiguration", "")
        return web.Response(body=body, content_type="application/json" if name == "policy" else "application/xml")

    async def put_setting(self, call: Call) -> web.StreamResponse:
        """PutBucketCors and the like."""
        name, body = call.operation[2], await read_document(call)
        if name != "policy":
            parse_xml(body)
        self._store.set(call.bucket, name, body)
        return web.Response()

    async def delete_setting(self, call: Call) -> web.StreamResponse:
        """DeleteBucketCors and the like."""
        self._store.set(call.bucket, call.operation[2], None)
        return web.Response(status=HTTPStatus.NO_CONTENT)
