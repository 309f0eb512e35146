"""Signatures of addresses that are signed in advance, as botocore makes them."""

import hmac
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import HmacV1QueryAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tessera_local.s3.protocol.answers import S3Error
from tessera_local.s3.protocol.calls import Call

_STAMP = "%Y%m%dT%H%M%SZ"
_OLD = ("AWSAccessKeyId", "Signature", "Expires")


def check_signature(call: Call, access_key: str, secret_key: str) -> None:
    """Check the signature and the end of an address that is signed; others are not looked at.

    Raises
    ------
    S3Error
        If the signature is another one, or if the time is over.
    """
    if "X-Amz-Signature" in call.query:
        expected, given, key, end = _version_4(call, Credentials(access_key, secret_key))
    elif "Signature" in call.query:
        expected, given, key, end = _version_2(call, Credentials(access_key, secret_key))
    else:
        return
    if key != access_key or not hmac.compare_digest(expected.encode(), given.encode()):
        message = "The request signature we calculated does not match the signature you provided."
        raise S3Error("SignatureDoesNotMatch", message)
    if time.time() > end:
        raise S3Error("AccessDenied", "Request has expired")


def _version_4(call: Call, credentials: Credentials) -> tuple[str, str, str, float]:
    query = dict(call.query)
    given, stamp = query.pop("X-Amz-Signature"), query.get("X-Amz-Date", "")
    try:
        key, _, region, service, _ = query["X-Amz-Credential"].split("/")
        end = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp() + int(query["X-Amz-Expires"])
    except (KeyError, ValueError) as error:
        raise S3Error("AccessDenied", "Query-string authentication needs all of its parameters") from error
    names = query.get("X-Amz-SignedHeaders", "").split(";")
    request = _request(call, query, {name: call.header(name) or "" for name in names})
    request.context["timestamp"] = stamp
    signer = S3SigV4QueryAuth(credentials, service, region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request), given, key, end


def _version_2(call: Call, credentials: Credentials) -> tuple[str, str, str, float]:
    if missing := [name for name in _OLD if name not in call.query]:
        raise S3Error("AccessDenied", f"Query-string authentication needs the parameter {missing[0]}")
    given, key, expires = call.query["Signature"], call.query["AWSAccessKeyId"], call.query["Expires"]
    query = {name: text for name, text in call.query.items() if name not in _OLD}
    headers = {name.lower(): text for name, text in call.request.headers.items()}
    signed = {name: text for name, text in headers.items() if name in ("content-type", "content-md5")}
    signed |= {name: text for name, text in (headers | query).items() if name.startswith("x-amz-")}
    request = _request(call, query, signed)
    split = urlsplit(f"{request.url}?{urlencode(query, quote_via=quote)}")
    message: Any = request.headers  # botocore's type does not say that it is one
    signature = _Until(credentials, expires).get_signature(call.request.method, split, message)
    try:
        return signature, given, key, float(expires)
    except ValueError as error:
        raise S3Error("AccessDenied", f"Invalid date: {expires}") from error


class _Until(HmacV1QueryAuth):
    """Signs for an end that is known, instead of one from now on."""

    def __init__(self, credentials: Credentials, end: str) -> None:
        super().__init__(credentials)
        self._end = end

    def _get_date(self) -> str:
        return self._end


def _request(call: Call, query: dict[str, str], headers: dict[str, str]) -> AWSRequest:
    """The request as it was when it was signed."""
    path = call.request.raw_path.partition("?")[0]
    return AWSRequest(
        method=call.request.method,
        url=f"http://{call.header('Host')}{path}",
        params=query,
        headers={name: text for name, text in headers.items() if name},
    )
