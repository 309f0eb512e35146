"""Answer with the event itself, or in the shape that the query asks for."""

import base64
import json
import time
from typing import Any


def lambda_handler(event: dict[str, Any], _context: object) -> Any:
    """Answer an HTTP request."""
    match (event["queryStringParameters"] or {}).get("as"):
        case "binary":
            body = base64.b64encode(bytes(range(256))).decode()
            headers = {"Content-Type": ["application/zip"], "X-Twice": ["a", "b"]}
            return {"statusCode": 200, "multiValueHeaders": headers, "body": body, "isBase64Encoded": True}
        case "redirect":
            return {"statusCode": 303, "headers": {"Location": "/elsewhere"}}
        case "nonsense":
            return ["not", "a", "response"]
        case "error":
            raise RuntimeError("no")
        case "large":
            return {"statusCode": 200, "body": "x" * (7 << 20)}
        case "slow":
            time.sleep(1)
        case _:
            pass
    return {"statusCode": 200, "body": json.dumps(event)}
