"""Runs the CubeBuild state machine for each cube that has frames and is not published yet."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from tessera.errors import InvalidValueError
from tessera_cloud import keys
from tessera_cloud.names import CubeId
from tessera_local.frames import FramePlace
from tessera_local.progress import Progress
from tessera_local.stack import Ended, Stack

POLL_SECONDS = 0.25
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class CubeFrames:
    """The frames of one cube in the FFI bucket."""

    count: int = 0
    size: int = 0
    newest: datetime = _LONG_AGO


def build_all(stack: Stack, progress: Progress, block_workers: int) -> dict[CubeId, Ended]:
    """Build the missing cubes one by one, and return how each build ended."""
    ended = {}
    for cube_id, frames in sorted(frames_by_cube(stack).items(), key=lambda found: str(found[0])):
        if is_published(stack, cube_id, frames):
            progress.say(f"- cube {cube_id} is already published")
            continue
        with progress.step(f"cube {cube_id} from {frames.count} frames") as step:
            ended[cube_id] = _build(stack, cube_id, progress, block_workers)
            step.megabytes = frames.size / 1e6
    return ended


def frames_by_cube(stack: Stack) -> dict[CubeId, CubeFrames]:
    """Frames in the FFI bucket, by cube."""
    found: dict[CubeId, CubeFrames] = {}
    place = FramePlace.of(stack)
    for product in place.prefixes:
        for item in place.listing(product):
            try:
                cube_id = place.cube_of(product, item["Key"])
            except InvalidValueError:
                continue
            frames = found.setdefault(cube_id, CubeFrames())
            frames.count += 1
            frames.size += item["Size"]
            frames.newest = max(frames.newest, item["LastModified"])
    return found


def is_published(stack: Stack, cube_id: CubeId, frames: CubeFrames) -> bool:
    """Whether the pointer to the cube is newer than all its frames."""
    try:
        pointer = stack.s3.head_object(Bucket=stack.bucket("CubeBucket"), Key=keys.current(cube_id))
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return False
        raise
    return pointer["LastModified"] >= frames.newest


def has_cubes(stack: Stack) -> bool:
    """Whether at least one cube is published."""
    answer = stack.s3.list_objects_v2(Bucket=stack.bucket("CubeBucket"), Prefix="cubes/", MaxKeys=1)
    return answer["KeyCount"] > 0


def _build(stack: Stack, cube_id: CubeId, progress: Progress, block_workers: int) -> Ended:
    started = datetime.now(UTC).replace(microsecond=0)
    ccd_id, product = cube_id.ccd_id, cube_id.product
    arn = stack.start_build(ccd_id.sector, ccd_id.camera, ccd_id.ccd, product=product, max_concurrency=block_workers)
    total = 0
    with progress.counter("blocks") as show:
        while (ended := stack.poll(arn)) is None:
            written = _written_since(stack, f"builds/{cube_id}/", started)
            total = total or _planned_blocks(stack, written)
            show(sum("/blocks/" in key for key in written), total)
            time.sleep(POLL_SECONDS)
    return ended


def _written_since(stack: Stack, prefix: str, started: datetime) -> list[str]:
    pages = stack.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.bucket("CubeBucket"), Prefix=prefix)
    items = (item for page in pages for item in page.get("Contents", []))
    return [item["Key"] for item in items if item["LastModified"] >= started]


def _planned_blocks(stack: Stack, written: list[str]) -> int:
    """Number of blocks in the plan; 0 if there is no plan yet."""
    for key in written:
        if key.endswith("/plan.json"):
            body = stack.s3.get_object(Bucket=stack.bucket("CubeBucket"), Key=key)["Body"].read()
            return len(json.loads(body)["blocks"])
    return 0
