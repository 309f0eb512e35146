"""What a request asks S3 for: an operation on a bucket or an object, with its parameters."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from aiohttp.web import BaseRequest

from tessera_local.s3.protocol.answers import S3Error

SUBRESOURCES = ("uploads", "uploadId", "delete", "lifecycle", "cors", "notification", "policy", "location")
"""Parameters that choose the operation."""
_LISTS = frozenset({
    "list-type", "prefix", "delimiter", "marker", "start-after", "continuation-token", "max-keys", "encoding-type",
    "fetch-owner", "key-marker", "upload-id-marker", "max-uploads", "part-number-marker", "max-parts",
})  # fmt: skip
_SIGNED = ("x-amz-", "response-")
_SIGNED_BEFORE = ("AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5")
_KNOWN = frozenset({*SUBRESOURCES, *_LISTS, *_SIGNED_BEFORE, "partNumber", "x-id"})


@dataclass(frozen=True)
class Call:
    """A request, taken apart."""

    request: BaseRequest
    bucket: str
    key: str
    query: dict[str, str]

    @classmethod
    def of(cls, request: BaseRequest) -> "Call":
        """Take a request apart.

        Raises
        ------
        S3Error
            If it has a parameter that this server does not know.
        """
        path, _, text = request.raw_path.partition("?")
        bucket, _, key = path.removeprefix("/").partition("/")
        query = dict(parse_qsl(text, keep_blank_values=True)) if text else {}
        for name in query.keys() - _KNOWN:
            if not name.lower().startswith(_SIGNED):
                raise S3Error("NotImplemented", f"The parameter {name} is not implemented on one machine.")
        return cls(request, unquote(bucket), unquote(key), query)

    @property
    def operation(self) -> tuple[str, str, str]:
        """What is asked for: method, kind of resource, and the parameter that chooses among its operations."""
        kind = "object" if self.key else "bucket" if self.bucket else "service"
        return self.request.method, kind, next((name for name in SUBRESOURCES if name in self.query), "")

    @property
    def resource(self) -> str:
        """Path of the bucket or object."""
        return "/" + "/".join(part for part in (self.bucket, self.key) if part)

    def header(self, name: str) -> str | None:
        """Text of a header."""
        return self.request.headers.get(name)

    def number(self, name: str, default: int, most: int) -> int:
        """Value of a parameter that is a whole number, at most `most`."""
        text = self.query.get(name, str(default))
        if not text.isdecimal():
            raise S3Error("InvalidArgument", f"{name} is {text!r} and must be a whole number")
        return min(int(text), most)
