"""Servers of S3 that the contracts of stores hold for: moto's, that of the one-machine stack, and one that is named."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from tessera_local.processes import start_storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAMED = os.environ.get("TESSERA_TEST_S3", "")
"""Another server, in words: its address, access key and secret key."""
SERVERS = ("moto", "local", *(["named"] if NAMED else []))


@dataclass(frozen=True)
class S3Server:
    """A server, and the credentials that it takes."""

    url: str
    access_key: str = "test"
    secret_key: str = "test"

    @cached_property
    def client(self) -> S3Client:
        """A client that tries once."""
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        session = boto3.Session(self.access_key, self.secret_key, region_name="us-east-1")
        client: S3Client = session.client("s3", endpoint_url=self.url, config=config)
        return client

    def empty(self, bucket: str) -> None:
        """Make a bucket that has nothing."""
        client = self.client
        if bucket not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=bucket)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                client.delete_object(Bucket=bucket, Key=item["Key"])
        for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


@contextmanager
def s3_server(name: str, home: Path) -> Iterator[S3Server]:
    """Run the server of a name, or take the one that is named."""
    if name == "named":
        yield S3Server(*NAMED.split())
    elif name == "moto":
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
        server.stop()
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            part = start_storage(home, probe.getsockname()[1], queues="http://127.0.0.1:9")
        try:
            part.wait_until_ready()
            yield S3Server(part.url)
        finally:
            part.stop()
