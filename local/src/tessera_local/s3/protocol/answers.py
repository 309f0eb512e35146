"""Answers of S3: XML documents and errors."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_STATUSES = {
    "AccessDenied": 403,
    "AccessForbidden": 403,
    "BadDigest": 400,
    "BucketNotEmpty": 409,
    "EntityTooSmall": 400,
    "InternalError": 500,
    "InvalidArgument": 400,
    "InvalidDigest": 400,
    "InvalidPart": 400,
    "InvalidPartOrder": 400,
    "InvalidRange": 416,
    "InvalidRequest": 400,
    "MalformedXML": 400,
    "MethodNotAllowed": 405,
    "NoSuchBucket": 404,
    "NoSuchBucketPolicy": 404,
    "NoSuchCORSConfiguration": 404,
    "NoSuchKey": 404,
    "NoSuchLifecycleConfiguration": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "PreconditionFailed": 412,
    "SignatureDoesNotMatch": 403,
}

Content = Any
"""Text, a number, a mapping of the names of elements to content, or a list of content."""


class S3Error(Exception):
    """A request is answered with an error.

    Parameters
    ----------
    code
        S3's name of the error.
    message
        What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, _STATUSES[code]

    def answer(self, path: str) -> web.Response:
        """Answer to a request for a path."""
        document = {"Code": self.code, "Message": str(self), "Resource": path}
        return xml_answer("Error", document, status=self.status)


class NotModified(Exception):  # noqa: N818 - it is no error
    """The client has the object already."""


def xml_answer(name: str, content: Content, *, status: int = 200) -> web.Response:
    """Answer with a document, whose children are the items of `content`."""
    space = "" if name == "Error" else f' xmlns="{_NAMESPACE}"'
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{space}>{_inside(content)}</{name}>'
    return web.Response(status=status, body=text.encode(), content_type="application/xml")


def _inside(content: Content) -> str:
    """Text inside an element. An item that is a list is an element for each of its entries."""
    if isinstance(content, Mapping):
        return "".join(_elements(name, item) for name, item in content.items())
    if isinstance(content, bool):
        return "true" if content else "false"
    return escape(str(content))


def _elements(name: str, item: Content) -> str:
    if item is None:
        return ""
    entries = item if isinstance(item, Sequence) and not isinstance(item, str) else [item]
    return "".join(f"<{name}>{_inside(entry)}</{name}>" for entry in entries)


def parse_xml(body: bytes) -> ElementTree.Element:
    """Root of a document that a client sent, whose names have no namespace any more."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - the client is on this machine
    except ElementTree.ParseError as error:
        raise S3Error("MalformedXML", f"The document cannot be read: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def iso_time(seconds: int) -> str:
    """Time in documents of S3."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
