"""Starts and ends the processes that emulate AWS: one for S3, SQS and Step Functions, another for DynamoDB."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).resolve().parents[3]
START_SECONDS = 90.0
STOP_SECONDS = 10.0
SERVICES = "s3,sqs,stepfunctions,sts"
"""Services of LocalStack. A Map needs security tokens (sts), because it reads its items from S3 in its own role."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class EmulatorError(RuntimeError):
    """The emulator did not start. The message has the reason."""


def localstack_python(given: str | None = None) -> Path:
    """Path of the interpreter with LocalStack: `given`, TESSERA_LOCALSTACK_PYTHON or the repository's environment."""
    named = given or os.environ.get("TESSERA_LOCALSTACK_PYTHON")
    path = Path(named) if named else REPOSITORY / ".venv-localstack" / "bin" / "python"
    if not path.exists():
        raise EmulatorError(
            f"no interpreter with LocalStack at {path}; run make local, or name another in TESSERA_LOCALSTACK_PYTHON"
        )
    return path


class EmulatorProcess:
    """LocalStack under our runner, on a leash: it ends when this process ends.

    Parameters
    ----------
    python
        Interpreter that has LocalStack.
    home
        Folder of its files: ``s3/``, ``localstack/`` and ``tmp/``.
    port
        Port on the loopback address.
    lambda_endpoint
        Address of Lambda for Step Functions.
    keep_open
        File descriptor that the child inherits, so that a lock on it lasts until the child ends.
    """

    def __init__(self, python: Path, home: Path, port: int, lambda_endpoint: str, keep_open: int | None = None) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.name = "the process of S3, SQS and Step Functions (LocalStack)"
        self._home, self.log = home, home / "logs" / "localstack.log"
        for folder in ("s3", "localstack", "tmp", "logs"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = self._spawn(python, _environment(home, port, lambda_endpoint), log, keep_open)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def status(self) -> int | None:
        """Exit status; None while the process runs."""
        return self._process.poll()

    def wait_until_ready(self) -> None:
        """Block until all services run."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise EmulatorError(f"LocalStack ended with status {self._process.returncode}; see {self.log}")
            if self._is_ready():
                return
            time.sleep(0.05)
        raise EmulatorError(f"LocalStack was not ready after {START_SECONDS:.0f} s; see {self.log}")

    def stop(self) -> None:
        """Release the leash: the metadata are saved and the process ends. It is killed if it does not end."""
        _let_go(self._process)

    def _spawn(
        self, python: Path, environment: Mapping[str, str], log: IO[bytes], keep_open: int | None
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [str(python), "-m", "tessera_local.emulator.runner"],
            cwd=self._home,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=() if keep_open is None else (keep_open,),
        )

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_localstack/health", timeout=5) as answer:
                health: bytes = answer.read()
            return health.count(b'"running"') >= len(SERVICES.split(","))
        except (urllib.error.URLError, OSError):
            return False


class TableProcess:
    """DynamoDB of moto, in memory, on a leash like `EmulatorProcess`.

    Parameters
    ----------
    home
        Folder whose subfolder ``logs/`` gets its log.
    port
        Port on the loopback address.
    """

    def __init__(self, home: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.name = "the process of DynamoDB"
        self.log = home / "logs" / "dynamodb.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tessera_local.table_server", str(port)],
                cwd=home,
                env=_python_environment() | CREDENTIALS,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def status(self) -> int | None:
        """Exit status; None while the process runs."""
        return self._process.poll()

    def wait_until_ready(self) -> None:
        """Block until the server answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/data.json", timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise EmulatorError(f"the process of DynamoDB did not start; see {self.log}")

    def stop(self) -> None:
        """Release the leash: the process ends, and its tables are gone."""
        _let_go(self._process)


def _let_go(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _python_environment() -> dict[str, str]:
    sources = Path(__file__).resolve().parents[1]
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1"}


def _environment(home: Path, port: int, lambda_endpoint: str) -> dict[str, str]:
    listen = f"127.0.0.1:{port}"
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home / "localstack"),
        "FILESYSTEM_ROOT": str(home / "localstack"),
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        "MALLOC_ARENA_MAX": "2",
        "SERVICES": SERVICES,
        "EAGER_SERVICE_LOADING": "1",
        "GATEWAY_LISTEN": listen,
        "LOCALSTACK_HOST": listen,
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "TESSERA_S3_DIRECTORY": str(home / "s3"),
        "TESSERA_LAMBDA_ENDPOINT": lambda_endpoint,
        **CREDENTIALS,
    }
