"""The ImageIndex state machine over a store in memory. The interpreter's S3 has copies of what its Map reads."""

from __future__ import annotations

import json
from typing import Any

import boto3

from tessera_cloud import keys
from tests.support.builds import SETTINGS
from tests.support.image_service import IMAGE_SETTINGS, put_images
from tests.support.index_machine import MirroredStore
from tests.support.state_machine import Stack


class ImageStack(Stack):
    """The state machine, with real files in its datasets."""

    machine = "image_index"
    store: MirroredStore

    def __init__(self) -> None:
        super().__init__(MirroredStore(), IMAGE_SETTINGS)

    def open(self) -> None:
        """Create the bucket of the interpreter, and write the files."""
        boto3.client("s3").create_bucket(Bucket=SETTINGS.cube_bucket)
        put_images(self.store)

    def indexed(self, dataset: str) -> list[str]:
        """Keys of the files in an index."""
        data: Any = self.store.objects.get((SETTINGS.cube_bucket, keys.dataset_index(dataset)), b'{"rows": []}')
        return [row["found"]["key"] for row in json.loads(data)["rows"]]
