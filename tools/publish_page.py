"""Copy the page into the bucket of a stack, and remove older copies from CloudFront's cache.

Usage: python publish_page.py STACK

It needs the same access as `sam deploy`. Files that are not in the folder are deleted from the bucket. Browsers ask for
a newer version each time.
"""

import mimetypes
import sys
import time
from pathlib import Path
from typing import Any

import boto3

FOLDER = Path(__file__).resolve().parents[1] / "page"
CACHE = "public, max-age=0, s-maxage=31536000"
"""Browsers ask for a newer version each time. CloudFront keeps a file until the next publication."""
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json"}


def content_type(path: Path) -> str:
    """Content type of a file."""
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def copy_files(s3: Any, bucket: str, folder: Path = FOLDER) -> tuple[int, int]:
    """Copy the files of a folder to a bucket, delete all others, and return the numbers of both.

    The start page is written last, so that it never names a file that is not there.
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
