"""Files of a dataset by their keys."""

from __future__ import annotations

import pytest

from tessera_cloud.application.images.datasets import Dataset
from tessera_cloud.application.images.index import ServedDataset
from tessera_cloud.application.images.messages import DatasetIndex, FoundImage, ImageRow

DATASET = Dataset(name="some", bucket="pictures")


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("a/B.fits", "a/B.fits"),
        ("a/b.fits", "a/b.fits"),
        ("A/B.FITS", "a/B.fits"),
        ("A/C.fits", "a/c.fits"),
        ("x", None),
    ],
)
def test_a_file_is_found_in_any_case_but_its_own_spelling_goes_first(key: str, wanted: str | None) -> None:
    found = [FoundImage(bucket="pictures", key=name, size=1, etag="e") for name in ("a/B.fits", "a/b.fits", "a/c.fits")]
    rows = tuple(ImageRow(found=each, band="", whole=False, images=()) for each in found)
    row = ServedDataset(DATASET, DatasetIndex(dataset=DATASET, indexed_at="", rows=rows)).with_key(key)
    assert (row.found.key if row else None) == wanted
    assert ServedDataset(DATASET, None).with_key(key) is None
