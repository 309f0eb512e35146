"""Answers that API Gateway gives itself, in the form that the template says."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

LINE_LIMIT = 1 << 20
"""Longest first line of a request that aiohttp reads, in bytes."""
PATH_LIMIT = 8 << 10
"""Longest address of a request that is answered, in bytes, as at CloudFront."""
_KINDS = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "URI_TOO_LONG": (414, f"the address of the request is longer than {PATH_LIMIT:,} bytes"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "INTEGRATION_FAILURE": (500, "Internal server error"),  # also if Lambda refuses an invocation with 429
    "INTERNAL_SERVER_ERROR": (502, "Internal server error"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
}


class OwnAnswers:
    """Answers without a function.

    Parameters
    ----------
    rules
        GatewayResponses of the template by type, in SAM's form. Types that it does not name have API Gateway's form.
    """

    def __init__(self, rules: Mapping[str, Mapping[str, Any]]) -> None:
        self._rules = rules

    def answer(self, kind: str) -> web.Response:
        """Answer of a type, such as ``INTEGRATION_TIMEOUT``."""
        status, message = _KINDS[kind]
        rule = self._rules.get(kind) or self._rules.get(f"DEFAULT_{status // 100}XX") or {}
        template = str(rule.get("ResponseTemplates", {}).get("application/json", _DEFAULT))
        text = template.replace("$context.error.messageString", json.dumps(message))
        named = rule.get("ResponseParameters", {}).get("Headers", {})
        return web.Response(
            status=int(rule.get("StatusCode", status)),
            text=text.replace("$context.error.responseType", kind),
            headers={name: str(value).strip("'") for name, value in named.items()},
            content_type="application/json",
        )


_DEFAULT = '{"message":$context.error.messageString}'


class OneLine(logging.Filter):
    """Log a request that is not HTTP in one line, because its traceback shows only our own program."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record of such a request. No record is dropped."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            reason = " ".join(error.message.split())[:200]
            record.msg, record.args, record.exc_info = "a request was refused: %s", (reason,), None
        return True


_ONE_LINE = OneLine()


def build_runner(application: web.Application) -> web.AppRunner:
    """Build the server of an application. Long addresses reach the application, and the log has no tracebacks."""
    logging.getLogger("aiohttp.server").addFilter(_ONE_LINE)
    return web.AppRunner(application, access_log=None, shutdown_timeout=0.05, max_line_size=LINE_LIMIT)
