"""The stack of `template.yaml` on this machine, as one context manager.

>>> with Stack(home) as stack:  # doctest: +SKIP
...     arn = stack.start_build(sector=1, camera=4, ccd=2)
...     status, error, cause = stack.wait(arn)
"""

import asyncio
import contextlib
import fcntl
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import boto3
from aiohttp import web
from botocore.config import Config

from tessera_local.lambdas.concurrency import Concurrency
from tessera_local.lambdas.environment import environment_of
from tessera_local.lambdas.events import EventSource, QueueReader, Timer, stop_all
from tessera_local.lambdas.service import DeadLetter, LambdaService, Report
from tessera_local.lambdas.worker import Outcome
from tessera_local.processes import CREDENTIALS, REPOSITORY, run_state_machines, start_control, start_storage
from tessera_local.storage import create_buckets, create_queues, create_tables, expire_objects
from tessera_local.template.deployed import ACCOUNT, REGION, Template
from tessera_local.watch import Watch
from tessera_local.web.api_gateway import INTEGRATION_SECONDS, ApiGateway
from tessera_local.web.own_answers import build_runner
from tessera_local.web.page_server import PageServer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

WORKERS = {"WaitForJobFunction": 8}
"""Workers of functions, by default. Four waiting clients are held, and others are answered at once."""

T = TypeVar("T")
LOCK_SECONDS = 10.0
HERE = {"CubeSources": "", "PublishedFootprints": "", "ClientJobs": "300", "BlockMemoryMb": "2048"}
"""Parameters of the template that differ on one machine: it serves its own cubes to one user, in little memory."""


class StackError(RuntimeError):
    """The stack cannot start. The message has the reason."""


class Ended(NamedTuple):
    """Result of an execution."""

    status: str
    error: str | None
    cause: str | None


class Stack:
    """S3, SQS, DynamoDB, Step Functions, Lambda and API Gateway on loopback, from the deployed files.

    Parameters
    ----------
    home
        Folder of all state and logs. Only one stack can use it at a time.
    port
        Port of the HTTP API; 0 takes a free one.
    template
        SAM template.
    parameters
        Values of the template's parameters.
    environment
        Variables that every function gets in addition to the template's.
    concurrency
        Largest number of busy workers by function; `default_concurrency` for functions that are not named.
    s3_port
        Port of S3; 0 takes a free one.
    integration_seconds
        Longest time that the HTTP API waits for a function, in seconds.
    schedule_seconds
        Longest time between two starts of a schedule after `start_events`, in seconds.
    on_end
        Is called in another thread, with a sentence, if a process of the stack ends while the stack runs.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        template: Path = REPOSITORY / "template.yaml",
        parameters: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        concurrency: Mapping[str, int] | None = None,
        default_concurrency: int = 4,
        s3_port: int = 0,
        integration_seconds: float = INTEGRATION_SECONDS,
        schedule_seconds: float = 3600.0,
        on_end: Callable[[str], object] | None = None,
    ) -> None:
        self.home = home.resolve()
        self.template = Template(template, parameters, HERE)
        self._port, self._s3_port = port, s3_port
        self._extra_environment = dict(environment or {})
        self._concurrency, self._default_concurrency = concurrency, default_concurrency
        self._longest_seconds = schedule_seconds
        self._on_end = on_end
        self._integration_seconds = integration_seconds
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    # -- for users of the stack --------------------------------------------------------------------------------------

    @property
    def reports(self) -> list[Report]:
        """One record per finished invocation, oldest first."""
        return self._service.reports

    def workers(self, function: str) -> list[int]:
        """Process ids of the living workers of a function."""
        return self._service.pids(function)

    @property
    def limits(self) -> Concurrency:
        """Concurrency of Lambda, which may be changed while the stack runs. At first, only what functions reserve."""
        return self._service.limits

    def bucket(self, logical_id: str) -> str:
        """Name of a bucket of the template."""
        return self.template.buckets[logical_id].name

    def variable(self, name: str) -> str:
        """Value of an environment variable that the template gives to its functions."""
        return next(f.environment[name] for f in self.template.functions.values() if name in f.environment)

    def start_build(self, sector: int, camera: int, ccd: int, **more: Any) -> str:
        """Start a cube build and return the ARN of the execution."""
        return self.start_execution("CubeBuildStateMachine", {"sector": sector, "camera": camera, "ccd": ccd, **more})

    def start_execution(self, machine: str, event: Mapping[str, Any]) -> str:
        """Start a state machine of the template by its logical id, and return the ARN of the execution."""
        arn = self.template.state_machines[machine].arn
        return self.states.start_execution(stateMachineArn=arn, input=json.dumps(event))["executionArn"]

    def wait(self, execution_arn: str, timeout: float = 3600.0) -> Ended:
        """Wait for the end of an execution; returns its status, error name and cause."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if ended := self.poll(execution_arn):
                return ended
            time.sleep(0.1)
        raise TimeoutError(f"{execution_arn} still runs after {timeout} s")

    def poll(self, execution_arn: str) -> Ended | None:
        """Result of an execution; None while it runs."""
        answer = self.states.describe_execution(executionArn=execution_arn)
        if answer["status"] == "RUNNING":
            return None
        return Ended(answer["status"], answer.get("error"), answer.get("cause"))

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function through the Invoke API, and return the decoded payload, also that of an error."""
        answer = self.functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    def start_events(self) -> None:
        """Let queues and schedules start functions from now on.

        Messages that are in the queues are dropped. The schedules start at once and find the same frames.
        """
        urls = {queue.arn: queue.url for queue in self.template.queues.values()}
        for url in urls.values():
            self.queues.purge_queue(QueueUrl=url)
        sources: list[EventSource] = [
            QueueReader(mapping, urls[mapping.queue_arn], self.queues, self._run_function)
            for mapping in self.template.queue_events
        ]
        sources += [Timer(schedule, self._start_target, self._longest_seconds) for schedule in self.template.schedules]
        self._cleanup.callback(stop_all, sources)
        self._cleanup.callback(lambda: self._call(self._service.stop_retries()))
        for source in sources:
            source.start()

    def _run_function(self, function: str, payload: bytes) -> Outcome:
        return self._call(self._service.invoke(function, payload, queued=True))

    def _start_target(self, target: str, event: Mapping[str, Any]) -> None:
        if ":stateMachine:" in target:
            self.states.start_execution(stateMachineArn=target, input=json.dumps(event))
        else:
            self._call(self._service.deliver(target, json.dumps(event).encode()))

    # -- start -------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        lock = self._lock_home()
        self._start_loop()
        s3_port, control_port = self._s3_port or _free_port(), _free_port()
        self.s3_endpoint = f"http://127.0.0.1:{s3_port}"
        self.control_endpoint = f"http://127.0.0.1:{control_port}"
        self._service = self._build_service()
        self._cleanup.callback(self._end_functions)
        self.lambda_endpoint = self._serve(self._service.application(), 0)
        front = ApiGateway(
            self.template.routes,
            self._service,
            integration_seconds=self._integration_seconds,
            page=PageServer(self.template.page.with_storage(self.s3_endpoint)) if self.template.page else None,
            own_answers=self.template.gateway_responses,
            binary_types=self.template.binary_types,
        )
        self.url = self._serve(front.application(), self._port)
        control = start_control(self.home, control_port, self.s3_endpoint, self.lambda_endpoint)
        self._cleanup.callback(control.stop)
        storage = start_storage(self.home, s3_port, self.control_endpoint, keep_open=lock)
        self._cleanup.callback(storage.stop)
        self.s3_pid = storage.pid
        self._build_clients()
        storage.wait_until_ready()
        control.wait_until_ready()
        run_state_machines(control)
        self._deploy()
        if self._on_end:
            self._cleanup.callback(Watch([storage, control], self._on_end, self._end_functions).stop)

    def _end_functions(self) -> None:
        self._call(self._service.close())

    def _build_service(self) -> LambdaService:
        environment = environment_of(self.s3_endpoint, self.control_endpoint)
        return LambdaService(
            self.template.functions,
            self.home,
            concurrency=WORKERS | dict(self._concurrency or {}),
            default_concurrency=self._default_concurrency,
            environment=environment | self._extra_environment,
            on_dead_letter=self._keep_dead_letter,
        )

    def _keep_dead_letter(self, queue_arn: str, letter: DeadLetter) -> None:
        url = next(queue.url for queue in self.template.queues.values() if queue.arn == queue_arn)
        attributes: Any = letter.attributes
        self.queues.send_message(QueueUrl=url, MessageBody=letter.body, MessageAttributes=attributes)

    def _build_clients(self) -> None:
        config = Config(max_pool_connections=32, read_timeout=900, retries={"mode": "standard"})
        session = boto3.Session(
            CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION
        )
        self.s3: S3Client = session.client("s3", endpoint_url=self.s3_endpoint, config=config)
        self.states: SFNClient = session.client("stepfunctions", endpoint_url=self.control_endpoint, config=config)
        self.queues: SQSClient = session.client("sqs", endpoint_url=self.control_endpoint, config=config)
        self.tables: DynamoDBClient = session.client("dynamodb", endpoint_url=self.control_endpoint, config=config)
        no_retry = config.merge(Config(retries={"total_max_attempts": 1}))
        self.functions: Any = session.client("lambda", endpoint_url=self.lambda_endpoint, config=no_retry)

    def _deploy(self) -> None:
        create_tables(self.tables, self.template.tables.values())
        create_queues(self.queues, self.template.queues.values())
        create_buckets(self.s3, self.template.buckets.values())
        expire_objects(self.s3, self.template.buckets.values(), datetime.now(UTC))
        for machine in self.template.state_machines.values():
            self.states.create_state_machine(
                name=machine.name, definition=machine.definition, roleArn=f"arn:aws:iam::{ACCOUNT}:role/tessera"
            )

    def _lock_home(self) -> int:
        """Lock the home. The process of S3 inherits the lock, so the next stack waits until that has ended."""
        file = self._cleanup.enter_context((self.home / "lock").open("w", encoding="utf-8"))
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StackError(f"another Tessera is running on {self.home}") from None
                time.sleep(0.1)
            else:
                return file.fileno()

    def _start_loop(self) -> None:
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="tessera-loop", daemon=True)
        thread.start()

        def stop() -> None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

        self._cleanup.callback(stop)

    def _serve(self, application: web.Application, port: int) -> str:
        runner = build_runner(application)

        async def listen() -> str:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            host, bound = runner.addresses[0][:2]
            return f"http://{host}:{bound}"

        try:
            url = self._call(listen())
        except OSError as error:
            raise StackError(f"port {port} on 127.0.0.1 cannot be used: {error.strerror}") from error
        self._cleanup.callback(lambda: self._call(runner.cleanup()))
        return url

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
