"""Messages between the tasks of the ImageIndex workflow, and the index of a dataset, which is its result."""

from __future__ import annotations

from tessera_cloud.application.images.datasets import Dataset, DatasetName
from tessera_cloud.contracts import Wire


class FoundImage(Wire):
    """A file in a listing."""

    bucket: str
    key: str
    size: int
    etag: str

    @property
    def name(self) -> str:
        """File name without folders."""
        return self.key.rpartition("/")[2]


class ImageFootprint(Wire):
    """An image of a file.

    Parameters
    ----------
    extension : int
        Number of the HDU in its file; 0 in ASDF.
    name : str
        EXTNAME; empty if there is none.
    rows, columns : int
        Shape in pixels.
    row_scale, column_scale : float
        Degrees from row to row and from column to column, in the middle of the image.
    s_region : str
        Polygon through the centres of the corner pixels.
    """

    extension: int
    name: str
    rows: int
    columns: int
    row_scale: float
    column_scale: float
    s_region: str


class ImageRow(Wire):
    """A file of an index. `whole` means that it is packed, so that any cutout must read all of it."""

    found: FoundImage
    band: str
    whole: bool
    images: tuple[ImageFootprint, ...]


class DatasetIndex(Wire):
    """Index of a dataset, ``images/index/<dataset>.json``: its configuration when it was indexed, and its files."""

    dataset: Dataset
    indexed_at: str
    rows: tuple[ImageRow, ...]


class DatasetListing(Wire):
    """Files of a dataset that list_images found, or the `reason` why the dataset could not be listed."""

    dataset: Dataset
    found: tuple[FoundImage, ...] = ()
    reason: str = ""


class ImageListing(Wire):
    """Listings of all datasets: ``listing.json``."""

    datasets: tuple[DatasetListing, ...]


class ImageTask(Wire):
    """Input of read_image."""

    run: str
    number: int
    """Number of the task in its run. It is part of the key of the outcome."""
    dataset: DatasetName
    kind: str
    public: bool
    extension: str | list[int | str] | None
    band: str
    image: FoundImage


class ImageOutcome(Wire):
    """Outcome of read_image: the row of the index, or the reason why there is none."""

    dataset: str
    found: FoundImage
    row: ImageRow | None = None
    reason: str = ""


class ImageFailure(Wire):
    """A file or dataset whose current version is not in the index, with the reason."""

    dataset: str
    name: str
    reason: str


class ImageIndexSummary(Wire):
    """Answer of write_image_index.

    Parameters
    ----------
    datasets : int
        Number of datasets.
    images, read, kept, removed : int
        Numbers of files that are in the index, that were read for it, that stayed the same, and that are gone.
    failed : int
        Number of files and datasets that could not be read. `failures` has the first ones.
    lost : int
        Number of failed files whose task left no outcome. They may succeed in another run.
    """

    datasets: int
    images: int
    read: int
    kept: int
    removed: int
    failed: int
    failures: tuple[ImageFailure, ...]
    lost: int
