"""Copy the page into the bucket of a stack, and have CloudFront forget what it kept.

Usage: python publish_page.py STACK

Needs what `sam deploy` needs. Files that are gone from the folder go from the bucket; a browser asks each time whether
it has the newest.
"""

import mimetypes
import sys
import time
from pathlib import Path
from typing import Any

import boto3

FOLDER = Path(__file__).resolve().parents[1] / "page"
CACHE = "public, max-age=0, s-maxage=31536000"
"""Browsers ask again; CloudFront keeps a file until it is told."""
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json"}


def content_type(path: Path) -> str:
    """What a file is."""
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def copy_files(s3: Any, bucket: str, folder: Path = FOLDER) -> tuple[int, int]:
    """Make the bucket hold the files of a folder and nothing else; how many were written and removed.

    The start page is written last: it never names a file that is not there.
    """
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    for key in sorted(files, key=lambda name: (name == "index.html", name)):
        body, kind = files[key].read_bytes(), content_type(files[key])
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind, CacheControl=CACHE)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    gone = [item["Key"] for page in pages for item in page.get("Contents", []) if item["Key"] not in files]
    for key in gone:
        s3.delete_object(Bucket=bucket, Key=key)
    return len(files), len(gone)


def main(stack: str) -> None:
    """Publish the page of a stack."""
    (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]  # noqa: TID251
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    written, removed = copy_files(boto3.client("s3"), outputs["PageBucketName"])  # noqa: TID251
    boto3.client("cloudfront").create_invalidation(  # noqa: TID251
        DistributionId=outputs["PageDistributionId"],
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())},
    )
    print(f"{written} files written, {removed} removed: {outputs['PageUrl']}")


if __name__ == "__main__":
    main(sys.argv[1])
