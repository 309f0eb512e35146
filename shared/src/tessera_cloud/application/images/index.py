"""Reads the index of a dataset of images, and finds the files that see a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tessera.sky.footprint import Footprint, find_overlaps, footprint_vectors, sky_box
from tessera_cloud import keys
from tessera_cloud.application.images.datasets import Dataset
from tessera_cloud.application.images.messages import DatasetIndex, ImageFootprint, ImageRow
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import ObjectReader


@dataclass(frozen=True)
class ServedDataset:
    """A dataset and its index.

    Parameters
    ----------
    dataset : Dataset
        Current configuration.
    index : DatasetIndex or None
        Index; None before the first run of the workflow.
    """

    dataset: Dataset
    index: DatasetIndex | None

    @property
    def rows(self) -> tuple[ImageRow, ...]:
        """Files in the index."""
        return self.index.rows if self.index else ()

    @cached_property
    def _images(self) -> list[tuple[ImageRow, ImageFootprint]]:
        return [(row, image) for row in self.rows for image in row.images]

    @cached_property
    def _by_key(self) -> dict[str, list[ImageRow]]:
        found: dict[str, list[ImageRow]] = {}
        for row in self.rows:
            found.setdefault(row.found.key.lower(), []).append(row)
        return found

    def with_key(self, key: str) -> ImageRow | None:
        """File with a key, without regard to case; of several, the one that is spelled as given, or else the first."""
        found = self._by_key.get(key.lower(), [])
        return next((row for row in found if row.found.key == key), found[0] if found else None)

    @cached_property
    def _vectors(self) -> NDArray[np.float64]:
        return footprint_vectors([image.s_region for _, image in self._images])

    def find(self, region: Footprint) -> list[tuple[ImageRow, list[ImageFootprint]]]:
        """Files with images that share a point with a region, each with these images, in index order."""
        found: dict[tuple[str, str], tuple[ImageRow, list[ImageFootprint]]] = {}
        for (row, image), hit in zip(self._images, find_overlaps(self._vectors, region), strict=True):
            if hit:
                found.setdefault((row.found.bucket, row.found.key), (row, []))[1].append(image)
        return list(found.values())

    def near(
        self, ra: float, dec: float, side: Callable[[ImageFootprint], float]
    ) -> list[tuple[ImageRow, list[ImageFootprint]]]:
        """Files with images that share a point with a box around a position, in index order.

        Parameters
        ----------
        ra, dec : float
            ICRS degrees.
        side : callable
            Returns the side of the box in degrees for an image.
        """
        if not self._images:
            return []
        largest = max(side(image) for _, image in self._images)
        found = []
        for row, images in self.find(sky_box(ra, dec, largest, largest)):
            boxes = [sky_box(ra, dec, side(image), side(image)) for image in images]
            kept = [
                image
                for image, box in zip(images, boxes, strict=True)
                if find_overlaps(footprint_vectors([image.s_region]), box)[0]
            ]
            found += [(row, kept)] if kept else []
        return found


def parse_dataset_index(data: bytes | None) -> DatasetIndex | None:
    """Parse the index of a dataset; None if there is no index yet."""
    return None if data is None else DatasetIndex.model_validate_json(data)


def read_dataset_index(store: ObjectReader, bucket: str, name: str) -> tuple[DatasetIndex | None, str | None]:
    """Read the index of a dataset and its ETag; None and None if there is no index yet."""
    try:
        data, info = store.read(bucket, keys.dataset_index(name))
    except ObjectMissingError:
        return None, None
    return parse_dataset_index(data), info.etag
