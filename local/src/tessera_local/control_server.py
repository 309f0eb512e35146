"""SQS, Step Functions, DynamoDB and STS on one machine: moto's server, in memory.

``python -m tessera_local.control_server PORT ADDRESS_OF_S3 ADDRESS_OF_LAMBDA``. Standard input is a leash: when it
closes, because the parent stops or dies, the process ends. Executions, messages and records are then lost. Ingest finds
the published cubes again from a listing.

The interpreter of the state machines calls every service at the address of its own server. So that server hands on what
is for S3 and Lambda.
"""

import io
import json
import logging
import os
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import boto3
import urllib3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

_SERVICE = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/(s3|lambda)/")
_UNFORWARDED = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
Start = Callable[[str, list[tuple[str, str]]], object]


class Switchboard:
    """A WSGI application that hands on what is for S3 and Lambda, and leaves the rest to moto.

    Parameters
    ----------
    moto
        Application of moto.
    addresses
        Addresses of ``s3`` and ``lambda``.
    """

    def __init__(self, moto: Callable[[dict[str, Any], Start], Iterable[bytes]], addresses: dict[str, str]) -> None:
        self._moto, self._addresses = moto, addresses
        self._pool = urllib3.PoolManager(maxsize=100, retries=False, timeout=urllib3.Timeout(connect=10, read=3600))

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request."""
        found = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if found:
            return self._hand_on(found[1], environ, start)
        if environ.get("HTTP_X_AMZ_TARGET") == "AWSStepFunctions.StartExecution":
            name_execution(environ)
        return self._moto(environ, start)

    def _hand_on(self, service: str, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        body = _body(environ)
        names = {name[5:].replace("_", "-"): text for name, text in environ.items() if name.startswith("HTTP_")}
        answer = self._pool.request(
            environ["REQUEST_METHOD"],
            self._addresses[service] + environ["RAW_URI"],
            body=body,
            headers={name: text for name, text in names.items() if name.lower() not in _UNFORWARDED},
            redirect=False,
            decode_content=False,
        )
        headers, status, data = dict(answer.headers), answer.status, answer.data
        if service == "lambda" and status >= HTTPStatus.BAD_REQUEST:
            status, headers, data = as_function_error(headers, data)
        kept = [(name, text) for name, text in headers.items() if name.lower() not in _UNFORWARDED]
        start(f"{status} {HTTPStatus(status).phrase}", [*kept, ("Content-Length", str(len(data)))])
        return [data]


class Moto(DomainDispatcherApplication):
    """moto's application, which looks at the folders of all services once for a host, and not for each request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.find = lru_cache(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Name of the service of a host."""
        return self.find(host)


def name_execution(environ: dict[str, Any]) -> None:
    """Give an execution a name if it has none, as AWS does. moto gives all of them the same."""
    body = json.dumps({"name": str(uuid.uuid4())} | json.loads(_body(environ))).encode()
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _body(environ: dict[str, Any]) -> bytes:
    data: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return data


def as_function_error(headers: dict[str, str], data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Answer of Lambda that refuses a call, as an error of the function.

    The interpreter calls each error of Lambda itself "Exception". Step Functions on AWS calls it by its code, such as
    ``Lambda.TooManyRequestsException``, and the retries of the state machines depend on that. The interpreter takes the
    names of errors of functions as they are.
    """
    found = {name.lower(): text for name, text in headers.items()}
    document = json.loads(data)
    code = found.get("x-amzn-errortype", "ServiceException")
    error = {"errorType": f"Lambda.{code}", "errorMessage": document.get("message") or document.get("Message")}
    return 200, {"X-Amz-Function-Error": "Unhandled", "Content-Type": "application/json"}, json.dumps(error).encode()


def main() -> None:
    """Serve until the leash closes."""
    port, storage, functions = sys.argv[1:]
    # The interpreter makes a client for each call, in threads. The parts that clients share are made here, before them.
    for service in ("s3", "lambda", "sts"):
        boto3.client(service, region_name="us-east-1")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request would fill the disk
    application = Switchboard(Moto(), {"s3": storage, "lambda": functions})
    server = make_server("127.0.0.1", int(port), application, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
