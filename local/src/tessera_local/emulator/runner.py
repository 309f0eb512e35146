"""Starts LocalStack 4.9.2 with S3 on disk, and with a Step Functions that calls our Lambda service.

LocalStack's own interpreter runs it: ``python -m tessera_local.emulator.runner``. Standard input is a leash: when it
closes, because the parent stops or dies, the metadata are saved and the process ends.
"""

import json
import os
import sys
import threading
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from localstack.aws.handlers import modify_service_response
from localstack.runtime.main import main as run_localstack
from localstack.services.s3 import provider as s3_provider
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task import lambda_eval_utils
from localstack.services.stepfunctions.backend.execution import Execution

from tessera_local.emulator.disk_store import DiskStore
from tessera_local.emulator.range_reads import serve_ranges


def connect_lambda(endpoint: str) -> None:
    """Send the Lambda invocations of the Step Functions interpreter to `endpoint`.

    The interpreter calls each error of Lambda itself "Exception". Step Functions on AWS calls it by its code, such as
    ``Lambda.TooManyRequestsException``, and the retries of the state machines depend on that.
    """
    original = lambda_eval_utils.boto_client_for
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=3600, max_pool_connections=100)
    client = boto3.client("lambda", endpoint_url=endpoint, region_name="us-east-1", config=config)

    def boto_client_for(service: str, region: str, state_credentials: Any) -> Any:
        if service == "lambda":
            return _NamedErrors(client)
        return original(service=service, region=region, state_credentials=state_credentials)

    lambda_eval_utils.boto_client_for = boto_client_for


class _NamedErrors:
    """Client of Lambda whose own errors look like errors of a function, with the names that Step Functions gives."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def invoke(self, **parameters: Any) -> Any:
        try:
            return self._client.invoke(**parameters)
        except ClientError as error:
            found = error.response["Error"]
            payload = {"errorType": f"Lambda.{found['Code']}", "errorMessage": found["Message"]}
            raise lambda_eval_utils.LambdaFunctionErrorException("Unhandled", json.dumps(payload)) from error


def silence_event_bridge() -> None:
    """Stop Step Functions from sending each status to EventBridge, which does not run here."""
    Execution.publish_execution_status_change_event = lambda _self: None


def main() -> None:
    """Patch LocalStack, then run until the leash or a signal ends it."""
    store = DiskStore(os.environ["TESSERA_S3_DIRECTORY"])
    s3_provider.EphemeralS3ObjectStore = lambda _directory: store
    modify_service_response.append("s3", store.note_change)
    serve_ranges(store)
    silence_event_bridge()
    connect_lambda(os.environ["TESSERA_LAMBDA_ENDPOINT"])

    def leash() -> None:
        sys.stdin.buffer.read()
        try:
            store.close()
        finally:
            os._exit(0)

    threading.Thread(target=leash, name="leash", daemon=True).start()
    run_localstack()


if __name__ == "__main__":
    main()
