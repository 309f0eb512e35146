"""Run the CubeBuild state machine for every CCD whose frames have no published cube yet."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from tessera.errors import InvalidValueError
from tessera.ids import CcdId, FrameName
from tessera_cloud import keys
from tessera_local.frames import ffi_prefix
from tessera_local.progress import Progress
from tessera_local.stack import Ended, Stack

POLL_SECONDS = 0.25
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class CcdFrames:
    """The frames of one CCD in the FFI bucket."""

    count: int = 0
    size: int = 0
    newest: datetime = _LONG_AGO


def build_all(stack: Stack, progress: Progress, block_workers: int) -> dict[CcdId, Ended]:
    """Build what is missing, CCD by CCD; how each build ended."""
    ended = {}
    for ccd_id, frames in sorted(frames_by_ccd(stack).items()):
        if is_published(stack, ccd_id, frames):
            progress.say(f"- cube {ccd_id} is already published")
            continue
        with progress.step(f"cube {ccd_id} from {frames.count} frames") as step:
            ended[ccd_id] = _build(stack, ccd_id, progress, block_workers)
            step.megabytes = frames.size / 1e6
    return ended


def frames_by_ccd(stack: Stack) -> dict[CcdId, CcdFrames]:
    """What the FFI bucket holds."""
    found: dict[CcdId, CcdFrames] = {}
    pages = stack.s3.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stack.bucket("FfiBucket"), Prefix=ffi_prefix(stack)):
        for item in page.get("Contents", []):
            try:
                name = FrameName.parse(item["Key"].rsplit("/", 1)[-1])
            except InvalidValueError:
                continue
            frames = found.setdefault(name.ccd_id, CcdFrames())
            frames.count += 1
            frames.size += item["Size"]
            frames.newest = max(frames.newest, item["LastModified"])
    return found


def is_published(stack: Stack, ccd_id: CcdId, frames: CcdFrames) -> bool:
    """Whether the pointer to the CCD's cube is younger than every one of its frames."""
    try:
        pointer = stack.s3.head_object(Bucket=stack.bucket("CubeBucket"), Key=keys.current(ccd_id))
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return False
        raise
    return pointer["LastModified"] >= frames.newest


def has_cubes(stack: Stack) -> bool:
    """Whether there is anything to serve."""
    answer = stack.s3.list_objects_v2(Bucket=stack.bucket("CubeBucket"), Prefix="cubes/", MaxKeys=1)
    return answer["KeyCount"] > 0


def _build(stack: Stack, ccd_id: CcdId, progress: Progress, block_workers: int) -> Ended:
    started = datetime.now(UTC).replace(microsecond=0)
    arn = stack.start_build(ccd_id.sector, ccd_id.camera, ccd_id.ccd, max_concurrency=block_workers)
    total = 0
    with progress.counter("blocks") as show:
        while (ended := stack.poll(arn)) is None:
            written = _written_since(stack, f"builds/{ccd_id}/", started)
            total = total or _planned_blocks(stack, written)
            show(sum("/blocks/" in key for key in written), total)
            time.sleep(POLL_SECONDS)
    return ended


def _written_since(stack: Stack, prefix: str, started: datetime) -> list[str]:
    pages = stack.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.bucket("CubeBucket"), Prefix=prefix)
    items = (item for page in pages for item in page.get("Contents", []))
    return [item["Key"] for item in items if item["LastModified"] >= started]


def _planned_blocks(stack: Stack, written: list[str]) -> int:
    """Number of blocks in the plan; 0 while there is none."""
    for key in written:
        if key.endswith("/plan.json"):
            body = stack.s3.get_object(Bucket=stack.bucket("CubeBucket"), Key=key)["Body"].read()
            return len(json.loads(body)["blocks"])
    return 0
