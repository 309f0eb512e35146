"""Do what the event says, also the bad things."""

import os
import time
from typing import Any

import boto3

HELD: list[bytes] = []


class TransientError(Exception):
    """May succeed when tried again."""


class FatalError(Exception):
    """Will never succeed."""


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """Carry out one action."""
    match event.get("do"):
        case "environment":
            return dict(os.environ)
        case "context":
            return {"arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis()}
        case "sleep":
            time.sleep(event["seconds"])
        case "allocate":
            HELD.append(b"x" * (event["mb"] << 20))
            time.sleep(1)
        case "exit":
            os._exit(event["status"])
        case "answer":
            return "x" * event["bytes"]
        case "fatal":
            raise FatalError("never")
        case "fail_once":
            return fail_once(event["key"])
        case _:
            pass
    return {"pid": os.getpid(), "event": event}


def fail_once(key: str) -> dict[str, Any]:
    """Raise until a marker is in the bucket, which the first try puts there."""
    s3, bucket = boto3.client("s3"), os.environ["THINGS_BUCKET"]
    if s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
        return {"tries": 2}
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    raise TransientError("try again")
