"""Where the files of cubes and images are, and where those of their frames are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from tessera.errors import InvalidValueError
from tessera.tess.products import PRODUCTS, SPOC, TICA
from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.images.served import find_dataset
from tessera_cloud.application.vo.identifiers import Published
from tessera_cloud.contracts import PublishedCube

FITS, ASDF = "application/fits", "application/octet-stream"
_PACKED = {".gz": "application/gzip", ".bz2": "application/x-bzip2", ".xz": "application/x-xz"}
"""Media types of packed files, by the ends of their names."""
_MAST_FRAMES = {SPOC.name: "tess/public/ffi/", TICA.name: "tess/public/tica/"}
"""Prefix of the frames of each product in MAST's bucket."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in a bucket.

    Parameters
    ----------
    bucket, key : str
        Place of the file.
    size : int
        Size in bytes; 0 if the index does not know it.
    public : bool
        Whether everybody may read it.
    content_type : str
        Media type.
    """

    bucket: str
    key: str
    size: int
    public: bool
    content_type: str = FITS

    def refusal(self, share_gb: float) -> str:
        """Why no client gets the file: it is larger than what one may get in a day. Empty if it is not.

        Parameters
        ----------
        share_gb : float
            Gigabytes that a client may get in a day; 0 for no limit.
        """
        if self.public or not share_gb or self.size <= share_gb * 1e9:
            return ""
        size = f"{self.size / 1e9:.4g} GB"
        return f"{self.name} has {size}; a client gets at most {share_gb:g} GB in a day, so cut parts of it"

    @property
    def name(self) -> str:
        """File name without folders."""
        return self.key.rpartition("/")[2]


def stored_file(of: Published, backend: Backend) -> StoredFile:
    """File of a cube or of an image, as the index has it."""
    public = backend.settings.public_buckets
    if isinstance(of, PublishedCube):
        return StoredFile(of.bucket, of.key, of.size, of.bucket in public)
    found, dataset = of.row.found, find_dataset(of.dataset, backend).dataset
    kind = _PACKED.get(PurePosixPath(found.key).suffix.lower(), ASDF if dataset.kind == "asdf" else FITS)
    return StoredFile(found.bucket, found.key, found.size, dataset.public or found.bucket in public, kind)


def public_address(bucket: str, key: str) -> str:
    """Address of an object in a public bucket of S3."""
    host = f"s3.amazonaws.com/{bucket}" if "." in bucket else f"{bucket}.s3.amazonaws.com"
    return f"https://{host}/{quote(key)}"


def frame_address(product: str, name: str) -> str | None:
    """Address of a frame in MAST's public bucket, by its file name; None if no frame of the product has such a name."""
    bucket = PRODUCTS[product].mast_cubes.removeprefix("s3://").partition("/")[0]
    try:
        return public_address(bucket, keys.frame(_MAST_FRAMES[product], name, product))
    except InvalidValueError:
        return None
