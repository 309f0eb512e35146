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
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer
from obstore.store import S3Store as ObstoreBucket

from tessera_cloud.adapters.s3 import S3Store
from tessera_cloud.patience import Patience
from tessera_local.processes import start_storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAMED = os.environ.get("TESSERA_TEST_S3", "")
"""Another server, in words: its address, access key, secret key, and the name of its program if `GAPS` has it."""
SERVERS = ("named",) if NAMED else ("moto", "local")
"""Where the contracts hold: on ours and moto's, or on the one that is named."""

GAPS = {
    "moto": {"test_a_page_of_parts_may_have_gaps_in_front": "it counts a marker in parts and not in part numbers"},
    "ceph": {
        "test_an_upload_is_not_completed_over_an_object": "it completes an upload without looking at its conditions",
        "test_a_range_of_nothing_is_refused": "it answers with bytes",
        "test_a_range_that_s3_does_not_know_gives_the_whole_object": "it refuses it, or answers with a part",
        "test_a_wrong_checksum_is_refused_and_leaves_nothing": "it knows no checksums but MD5",
        "test_an_upload_that_is_over_is_not_known": "it says NoSuchKey",
        "test_the_condition_of_a_write_may_have_quotes": "it compares the quotes, too",
        "test_the_end_of_an_upload_names_the_etag": "its answer has an empty ETag",
    },
}
"""What a program does otherwise, by its name and that of the test that shows it. docs/explanation/s3.md has the reasons
why Tessera can live with it."""


def expect_gap(request: pytest.FixtureRequest, program: str) -> None:
    """Let a test fail if the program is known to do otherwise."""
    reason = GAPS.get(program, {}).get(request.function.__name__)
    if reason:
        # Debian and Ubuntu have several versions of Ceph, of which the newer ones have fewer gaps.
        request.applymarker(pytest.mark.xfail(reason=f"{program}: {reason}", strict=program != "ceph"))


@dataclass(frozen=True)
class S3Server:
    """A server, the credentials that it takes, and its program."""

    url: str
    access_key: str = "test"
    secret_key: str = "test"
    program: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port."""
        place = urlsplit(self.url)
        return str(place.hostname), int(place.port or 80)

    def let_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put its credentials into the environment."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", self.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", self.secret_key)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    @cached_property
    def client(self) -> S3Client:
        """A client that tries once."""
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        session = boto3.Session(self.access_key, self.secret_key, region_name="us-east-1")
        client: S3Client = session.client("s3", endpoint_url=self.url, config=config)
        return client

    def store(self, patience: Patience) -> S3Store:
        """Open its objects as the service does."""

        def open_bucket(bucket: str) -> ObstoreBucket:
            return ObstoreBucket(
                bucket,
                endpoint=self.url,
                region="us-east-1",
                access_key_id=self.access_key,
                secret_access_key=self.secret_key,
                virtual_hosted_style_request=False,
                client_options={"allow_http": True},
            )

        return S3Store(self.client, open_bucket, patience)

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
        yield S3Server(f"http://{host}:{port}", program=name)
        server.stop()
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            part = start_storage(home, probe.getsockname()[1], queues="http://127.0.0.1:9")
        try:
            part.wait_until_ready()
            yield S3Server(part.url, program=name)
        finally:
            part.stop()
