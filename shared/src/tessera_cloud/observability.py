"""Log of a function; one line per outcome."""

from __future__ import annotations

from aws_lambda_powertools import Logger

logger = Logger()
