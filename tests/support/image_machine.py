"""The ImageIndex state machine over a store in memory, of which the interpreter's S3 has what it must read."""

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
    """The machine with real files in its datasets."""

    machine = "image_index"
    store: MirroredStore

    def __init__(self) -> None:
        super().__init__(MirroredStore(), IMAGE_SETTINGS)

    def open(self) -> None:
        """Make what the interpreter reads, and lay the files."""
        boto3.client("s3").create_bucket(Bucket=SETTINGS.cube_bucket)
        put_images(self.store)

    def indexed(self, dataset: str) -> list[str]:
        """Keys of the files that an index has."""
        data: Any = self.store.objects.get((SETTINGS.cube_bucket, keys.dataset_index(dataset)), b'{"rows": []}')
        return [row["found"]["key"] for row in json.loads(data)["rows"]]
