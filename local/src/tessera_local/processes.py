"""Starts and ends the processes beside this one: one is S3, another is SQS, Step Functions, DynamoDB and STS."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
START_SECONDS = 90.0
STOP_SECONDS = 10.0
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PATH_STYLE = "[default]\nregion = us-east-1\ns3 =\n  addressing_style = path\n"
"""A bucket is a part of the path, because a name below localhost is not found on every machine."""


class PartError(RuntimeError):
    """A part of the stack did not start. The message has the reason."""


class Part:
    """A process on a leash: it ends when this process ends.

    Parameters
    ----------
    name
        What the process does.
    module
        Module to run, with its arguments.
    log
        File for its output.
    url
        Its address.
    path
        Path that it answers when it is ready.
    environment
        Variables in addition to those that every part gets.
    keep_open
        File descriptor that the process inherits, so that a lock on it lasts until the process ends.
    """

    def __init__(
        self,
        name: str,
        module: Sequence[str],
        *,
        log: Path,
        url: str,
        path: str = "/",
        environment: Mapping[str, str] | None = None,
        keep_open: int | None = None,
    ) -> None:
        self.name, self.log, self.url, self._path = name, log, url, path
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *module],
                env=_environment() | dict(environment or {}),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=() if keep_open is None else (keep_open,),
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def status(self) -> int | None:
        """Exit status; None while the process runs."""
        return self._process.poll()

    def wait_until_ready(self) -> None:
        """Block until the process answers.

        Raises
        ------
        PartError
            If it ends, or does not answer in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.status() is not None:
                raise PartError(f"{self.name} ended with status {self.status()} at its start: {_last_line(self.log)}")
            try:
                _DIRECT.open(self.url + self._path, timeout=5).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise PartError(f"{self.name} was not ready after {START_SECONDS:.0f} s; see {self.log}")

    def stop(self) -> None:
        """Release the leash, so that the process ends. It is killed if it does not."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start_storage(home: Path, port: int, queues: str, keep_open: int | None = None) -> Part:
    """Start S3, which keeps its objects in a home and tells queues of them."""
    module = ("tessera_local.s3.server", str(port), str(home / "objects"), queues)
    log = home / "logs" / "s3.log"
    return Part("the process of S3", module, log=log, url=f"http://127.0.0.1:{port}", keep_open=keep_open)


def start_control(home: Path, port: int, storage: str, functions: str) -> Part:
    """Start SQS, Step Functions, DynamoDB and STS, whose state machines read S3 and call functions."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    config = home / "tmp" / "aws-config"
    config.write_text(_PATH_STYLE)
    name = "the process of SQS, Step Functions and DynamoDB"
    module = ("tessera_local.control_server", str(port), storage, functions)
    settings = {"MOTO_PORT": str(port), "AWS_CONFIG_FILE": str(config), "AWS_EC2_METADATA_DISABLED": "true"}
    url, path, log = f"http://127.0.0.1:{port}", "/moto-api/data.json", home / "logs" / "control.log"
    return Part(name, module, log=log, url=url, path=path, environment=settings)


def run_state_machines(control: Part) -> None:
    """Let moto run the state machines. By itself it would only keep them."""
    body = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    _DIRECT.open(urllib.request.Request(f"{control.url}/moto-api/config", body, method="POST")).close()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else f"see {log}"


def _environment() -> dict[str, str]:
    """Variables of every part: nothing of the user's but the path, so that no proxy or profile changes it."""
    sources = os.pathsep.join(str(REPOSITORY / place) for place in ("local/src", "layers/engine/src", "shared/src"))
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": sources,
        "PYTHONDONTWRITEBYTECODE": "1",
        "MALLOC_ARENA_MAX": "2",
        **CREDENTIALS,
    }
