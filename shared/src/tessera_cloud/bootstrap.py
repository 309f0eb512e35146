"""The one place that knows adapters, the environment and the clock."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from obstore.store import S3Store as ObstoreBucket

from tessera_cloud.adapters.s3 import S3Store
from tessera_cloud.application.cutouts import CubeCache
from tessera_cloud.ports import ObjectStore
from tessera_cloud.settings import Settings

_POOL = 64


@dataclass(frozen=True)
class Services:
    """What a handler hands to a use case."""

    store: ObjectStore
    settings: Settings
    cubes: CubeCache

    def today(self) -> str:
        """Day in UTC, ``YYYY-MM-DD``."""
        return datetime.datetime.now(datetime.UTC).date().isoformat()


def open_s3_store() -> S3Store:
    """An S3 store with the credentials, region and endpoint of the environment."""
    config = Config(
        max_pool_connections=_POOL,
        retries={"mode": "standard", "max_attempts": 6},
        read_timeout=60,
        s3={"addressing_style": "path" if _endpoint() else "auto"},
    )
    return S3Store(boto3.client("s3", config=config), _open_bucket)


def _endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def _open_bucket(bucket: str) -> ObstoreBucket:
    options: dict[str, Any] = {"region": os.environ.get("AWS_REGION", "us-east-1")}
    if endpoint := _endpoint():
        options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    client: Any = {"allow_http": True, "timeout": "60s", "connect_timeout": "5s"}
    retry: Any = {"max_retries": 5, "retry_timeout": datetime.timedelta(seconds=60)}
    return ObstoreBucket(bucket, client_options=client, retry_config=retry, **options)


@cache
def services() -> Services:
    """Services of this execution environment, made at the first call."""
    return Services(open_s3_store(), Settings.from_env(os.environ), CubeCache())
