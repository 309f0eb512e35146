"""Builds that meet trouble, on the real processes: a killed worker is retried, a broken frame stops the build."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.api.conftest import REAL, Service, put_frames
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("api-stack")]


def test_a_killed_block_worker_is_retried_and_the_cube_is_right(service: Service) -> None:
    stack = service.stack
    bucket = stack.bucket("CubeBucket")
    (cube,) = [
        item["Key"]
        for item in stack.s3.list_objects_v2(Bucket=bucket, Prefix=f"cubes/{REAL}/")["Contents"]
        if item["Key"].endswith("-cube.fits")
    ]
    before = stack.s3.get_object(Bucket=bucket, Key=cube)["Body"].read()
    stack.s3.delete_object(Bucket=bucket, Key=cube)
    finished = len(stack.reports)
    arn = stack.start_build(REAL.sector, REAL.camera, REAL.ccd)
    deadline = time.monotonic() + 60
    while not (uploads := stack.s3.list_multipart_uploads(Bucket=bucket).get("Uploads")):
        assert time.monotonic() < deadline
    while not stack.s3.list_parts(Bucket=bucket, Key=cube, UploadId=uploads[0]["UploadId"]).get("Parts"):
        assert time.monotonic() < deadline
    for worker in stack.workers("BuildBlockFunction"):
        os.kill(worker, signal.SIGKILL)
    assert stack.wait(arn, timeout=120).status == "SUCCEEDED"
    failed = [report for report in stack.reports[finished:] if report.error]
    assert failed, "no worker was busy when it was killed"
    assert_same_bytes(stack.s3.get_object(Bucket=bucket, Key=cube)["Body"].read(), before)


def test_an_unreadable_frame_fails_the_execution_by_its_name_and_leaves_nothing(service: Service) -> None:
    stack = service.stack
    frames = tiny_sector(4, (60, 50), sector=4)
    name, data = frames[2]
    put_frames(stack, [*frames[:2], (name, data[:22_000]), frames[3]])
    ended = stack.wait(stack.start_build(4, 4, 2), timeout=60)
    assert (ended.status, ended.error) == ("FAILED", "UnreadableFrameError")
    assert name in (ended.cause or "")
    bucket = stack.bucket("CubeBucket")
    assert "Uploads" not in stack.s3.list_multipart_uploads(Bucket=bucket)
    assert "Contents" not in stack.s3.list_objects_v2(Bucket=bucket, Prefix="cubes/s0004-4-2/")
