"""What a service tells about its images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from tessera.client.wire.documents import Fields, each


@dataclass(frozen=True)
class ImageDataset:
    """A dataset of images.

    Parameters
    ----------
    name, title, mission : str
        Name in requests, title, and mission or telescope.
    kind : str
        ``fits`` or ``asdf``.
    bands : tuple of str
        Names of the bands; empty if there are none.
    images : int
        Number of files.
    indexed_at : str
        When the service read the files, UTC; empty if it has not.
    """

    name: str
    title: str
    mission: str
    kind: str
    bands: tuple[str, ...]
    images: int
    indexed_at: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        texts = (fields.text(name) for name in ("name", "title", "mission", "kind"))
        name, title, mission, kind = texts
        bands, n_images = fields.texts("bands"), fields.integer("images")
        return cls(name, title, mission, kind, bands, n_images, fields.optional_text("indexed_at"))


@dataclass(frozen=True)
class FoundImage:
    """A file with images of a place.

    Parameters
    ----------
    dataset, name : str
        Names of the dataset and of the file.
    band : str
        Band of the file; empty if the dataset has no bands.
    size : int
        Size of the file in bytes.
    s_regions : tuple of str
        Outline of each image that sees the place, ``POLYGON ...`` in degrees.
    """

    dataset: str
    name: str
    band: str
    size: int
    s_regions: tuple[str, ...] = field(repr=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        regions = tuple(part.text("s_region") for part in fields.each("images"))
        names = fields.text("dataset"), fields.text("name"), fields.optional_text("band")
        return cls(*names, fields.integer("bytes"), regions)


@dataclass(frozen=True)
class FoundImages:
    """Files with images of a place, and whether these are all."""

    images: tuple[FoundImage, ...]
    complete: bool

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read an answer of the service."""
        return cls(tuple(each("images", FoundImage.read)(fields)), fields.switch("complete"))
