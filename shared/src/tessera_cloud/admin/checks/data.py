"""What is served: MAST's bucket, the index, the page."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tessera_cloud import keys
from tessera_cloud.admin.checks.look import Check, Look, age_of
from tessera_cloud.admin.lines import Line, State
from tessera_cloud.application.caches import IndexCache
from tessera_cloud.application.coverage.parts import find_current, group_cubes, read_coverage
from tessera_cloud.application.index.served import served_index
from tessera_cloud.application.results import exists
from tessera_cloud.bootstrap import open_public_client
from tessera_cloud.errors import ObjectMissingError

LATE, TOO_LATE = datetime.timedelta(hours=26), datetime.timedelta(hours=48)
"""Ages of the index. It is written daily."""


def public_buckets(look: Look) -> Iterator[Line]:
    """Whether the buckets that are read without credentials answer, and where they are. It tells us from MAST."""
    settings = look.services.settings
    buckets = sorted(settings.public_buckets | settings.image_buckets)
    if not buckets:
        yield Line("ok", "public buckets", "none are read")
    client = open_public_client(read_timeout=10, connect_timeout=5, retries={"mode": "standard", "max_attempts": 2})
    for bucket in buckets:
        yield from _public_bucket(look, client, bucket)


def _public_bucket(look: Look, client: Any, bucket: str) -> Iterator[Line]:
    began = time.monotonic()
    try:
        headers = client.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    except (ClientError, BotoCoreError) as error:
        region = _region_of(error)
        if not region:
            said = " ".join(str(error).split())[:120]
            advice = "it is not us: wait, or read the status of its owner; what is in our own bucket is still served"
            yield Line("fail", "public buckets", f"{bucket} does not answer: {said}", advice)
            return
        headers = {"x-amz-bucket-region": region}
    yield Line("ok", "public buckets", f"{bucket} answers in {time.monotonic() - began:.2f} s")
    region = headers.get("x-amz-bucket-region", "")
    if region and region != look.operator.region:
        says = f"{bucket} is in {region}, the stack in {look.operator.region}: reading is slower, and crosses regions"
        yield Line(
            "warn", "region", says, f"deploy in {region}, see docs/operations/upgrading.md, Move to another region"
        )
    elif region:
        yield Line("ok", "region", f"{bucket} and the stack are in {region}")


def _region_of(error: Exception) -> str:
    """Region of a bucket, which S3 tells also when it asks to go elsewhere."""
    response = error.response if isinstance(error, ClientError) else {}
    metadata: Any = response.get("ResponseMetadata", {})
    moved = metadata.get("HTTPStatusCode") in (301, 307, 400)
    return str(metadata.get("HTTPHeaders", {}).get("x-amz-bucket-region", "")) if moved else ""


def _index_machine(look: Look) -> str:
    return look.stack.outputs.get("FootprintIndexStateMachineArn", "$INDEX")


def index(look: Look) -> Iterator[Line]:
    """Age of the footprint index."""
    start = f"aws stepfunctions start-execution --state-machine-arn {_index_machine(look)}"
    settings = look.services.settings
    try:
        found = look.services.store.head(settings.cube_bucket, keys.FOOTPRINT_INDEX)
    except ObjectMissingError:
        says = "not written yet; the file of PublishedFootprints is used"
        yield Line("warn" if settings.published_footprints else "fail", "index", says, start)
        return
    written = datetime.datetime.fromtimestamp(found.modified, datetime.UTC)
    says = f"{found.size / 1e6:.1f} MB, written {age_of(written, look.now)} ago"
    age = look.now - written
    state: State = "ok" if age < LATE else "warn" if age < TOO_LATE else "fail"
    yield Line(state, "index", says, "" if state == "ok" else start)


def coverage(look: Look) -> Iterator[Line]:
    """Whether the coverage shows the cubes that are served."""
    start = f"aws stepfunctions start-execution --state-machine-arn {_index_machine(look)}"
    store, settings = look.services.store, look.services.settings
    there = exists(store, settings.cube_bucket, keys.COVERAGE_DOCUMENT)
    known = read_coverage(store, settings.cube_bucket) if there else None
    if known is None:
        yield Line("warn", "coverage", "not written yet", start)
        return
    index = served_index(IndexCache(), store=store, settings=settings, now=look.now.timestamp())
    wanted = group_cubes(index.cubes)
    n_old = len(wanted) - len(find_current(known, wanted)) + len(known.by_name().keys() - wanted.keys())
    if n_old:
        says = f"{n_old} of {len(wanted)} parts do not show the cubes that are served"
        yield Line("warn", "coverage", says, start)
    else:
        yield Line("ok", "coverage", f"{len(wanted)} parts, as the index")


def page(look: Look) -> Iterator[Line]:
    """Whether the page was published."""
    bucket = look.stack.outputs.get("PageBucketName") or look.stack.physical("PageBucket")
    try:
        found = look.services.store.head(bucket, "index.html")
    except ObjectMissingError:
        yield Line("fail", "page", "not published", f"make publish-page STACK={look.stack.name}")
        return
    written = datetime.datetime.fromtimestamp(found.modified, datetime.UTC)
    yield Line("ok", "page", f"published {age_of(written, look.now)} ago at {look.stack.outputs.get('PageUrl', '?')}")


DATA_CHECKS: tuple[Check, ...] = (public_buckets, index, coverage, page)
