"""ministack's interpreter of state machines: an implementation that shares no code with moto's.

It runs as a program of its own environment, and is reached as AWS is. Its functions have a runtime of their own, which
hands each event to this process. So the handlers, their store and their faults are those that moto's interpreter calls,
and errors keep their names.
"""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import urllib3

from tests.support.paths import ROOT
from tests.support.state_machine import FUNCTIONS, ROLE, Stack

PYTHON = Path(os.environ.get("TESSERA_MINISTACK_PYTHON", ROOT / ".venv-ministack/bin/python"))
ACCOUNT = "123456789012"
ERROR = "x-amz-function-error"
_RUNTIME = """
import http.client, os
runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
tests = http.client.HTTPConnection(os.environ["TESTS"])
def call(connection, method, path, body=None):
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.headers, answer.read()
invocation = "/2018-06-01/runtime/invocation/"
while True:
    headers, event = call(runtime, "GET", invocation + "next")
    answered, answer = call(tests, "POST", "/" + os.environ["AWS_LAMBDA_FUNCTION_NAME"], event)
    end = "/error" if answered["x-amz-function-error"] else "/response"
    call(runtime, "POST", invocation + headers["Lambda-Runtime-Aws-Request-Id"] + end, answer)
"""


class _Functions(BaseHTTPRequestHandler):
    """Answers of the functions, by the stack that is behind the interpreter at the time."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert self.server.stack is not None
        headers: dict[str, str] = {}
        answer = self.server.stack.invoke(self.path[1:], body, headers).encode()
        self.send_response(200)
        for name, value in (headers | {"Content-Length": str(len(answer))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stack: Stack | None = None


class Ministack:
    """The program, for as long as it runs.

    Parameters
    ----------
    url : str
        Its address.
    server : _Server
        The server that its functions ask.
    """

    def __init__(self, url: str, server: _Server) -> None:
        self.url = url
        self._server = server

    @contextmanager
    def behind(self, stack: Stack) -> Iterator[None]:
        """Put a stack behind an interpreter that remembers nothing, and lead all clients of this process there."""
        urllib3.request("POST", f"{self.url}/_ministack/reset")
        keys = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": self.url}
        self._server.stack = stack
        try:
            with patch.dict(os.environ, keys | {"AWS_DEFAULT_REGION": "us-east-1"}):
                boto3.setup_default_session()
                self._create_functions()
                yield
        finally:
            boto3.DEFAULT_SESSION = None
            self._server.stack = None

    def _create_functions(self) -> None:
        client, code = boto3.client("lambda"), _archive()
        address = f"127.0.0.1:{self._server.server_port}"
        for name in FUNCTIONS:
            client.create_function(
                FunctionName=name,
                Runtime="provided.al2023",
                Handler="bootstrap",
                Role=ROLE,
                Timeout=60,
                Code={"ZipFile": code},
                Environment={"Variables": {"TESTS": address}},
            )


def _archive() -> bytes:
    """The runtime of all functions, as Lambda takes it."""
    content = io.BytesIO()
    start = f'#!/bin/sh\nexec "{sys.executable}" -IS "$(dirname "$0")/runtime.py"\n'
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in (("bootstrap", start), ("runtime.py", _RUNTIME)):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            archive.writestr(info, text)
    return content.getvalue()


@contextmanager
def running_ministack(home: Path) -> Iterator[Ministack]:
    """Start the program on a free port, with all its files in a folder, and end it."""
    server = _Server(("127.0.0.1", 0), _Functions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener, (home / "ministack.log").open("wb") as log:
        port = listener.getsockname()[1]
        settings = {"GATEWAY_PORT": str(port), "SFN_WAIT_SCALE": "0.01", "TMPDIR": str(home), "HOME": str(home)}
        command = [str(PYTHON), "-m", "hypercorn", "ministack.app:app", "--bind", f"fd://{listener.fileno()}"]
        program = subprocess.Popen(
            command,
            env=os.environ | settings,
            cwd=home,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(url, program, home)
            yield Ministack(url, server)
        finally:
            program.terminate()
            program.wait(30)
            server.shutdown()
            server.server_close()


def _wait_until_ready(url: str, program: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + 60
    while program.poll() is None and time.monotonic() < deadline:
        try:
            if urllib3.request("GET", f"{url}/_ministack/ready", timeout=5, retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"ministack does not answer: {(home / 'ministack.log').read_text()[-2000:]}")
