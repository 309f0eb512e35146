"""What travels between the tasks of the ImageIndex workflow, and what it leaves: the index of a dataset."""

from __future__ import annotations

from tessera_cloud.application.images.datasets import Dataset, DatasetName
from tessera_cloud.contracts import Wire


class FoundImage(Wire):
    """A file as a listing shows it."""

    bucket: str
    key: str
    size: int
    etag: str

    @property
    def name(self) -> str:
        """Without folders."""
        return self.key.rpartition("/")[2]


class ImageFootprint(Wire):
    """An image of a file.

    Parameters
    ----------
    extension : int
        Number in its file; 0 in ASDF.
    name : str
        EXTNAME; empty for none.
    rows, columns : int
        Shape.
    row_scale, column_scale : float
        Degrees per pixel in the middle.
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
    """A file of an index; `whole` where all of it must be read for any cutout, as it is packed."""

    found: FoundImage
    band: str
    whole: bool
    images: tuple[ImageFootprint, ...]


class DatasetIndex(Wire):
    """The index of a dataset, ``images/index/<dataset>.json``: the dataset as it was then, and its files."""

    dataset: Dataset
    indexed_at: str
    rows: tuple[ImageRow, ...]


class DatasetListing(Wire):
    """What list_images found of a dataset; `reason` says why it could not be listed."""

    dataset: Dataset
    found: tuple[FoundImage, ...] = ()
    reason: str = ""


class ImageListing(Wire):
    """What list_images found; ``listing.json``."""

    datasets: tuple[DatasetListing, ...]


class ImageTask(Wire):
    """Input of read_image."""

    run: str
    number: int
    """Among the tasks of the run; names what the task leaves."""
    dataset: DatasetName
    kind: str
    public: bool
    extension: str | list[int | str] | None
    band: str
    image: FoundImage


class ImageOutcome(Wire):
    """What read_image leaves: the row of the index, or why there is none."""

    dataset: str
    found: FoundImage
    row: ImageRow | None = None
    reason: str = ""


class ImageFailure(Wire):
    """A file or a dataset that is not in the index as it is now, and why."""

    dataset: str
    name: str
    reason: str


class ImageIndexSummary(Wire):
    """Answer of write_image_index.

    Parameters
    ----------
    datasets : int
        That are configured.
    images, read, kept, removed : int
        Files that are indexed, that were read for it, that stay as they were, and that are gone.
    failed : int
        Files and datasets that could not be read; the first of them are `failures`.
    lost : int
        Files among those whose task left no outcome: trying again may help.
    """

    datasets: int
    images: int
    read: int
    kept: int
    removed: int
    failed: int
    failures: tuple[ImageFailure, ...]
    lost: int
