"""What an execution environment remembers between requests; apart from the use cases, so that loading it is cheap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tessera_cloud.ports import ObjectInfo

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube
    from tessera_cloud.application.images.index import ServedDataset
    from tessera_cloud.application.index.footprint_index import FootprintIndex


@dataclass
class IndexCache:
    """The index as it was last seen; times in seconds since 1970.

    Parameters
    ----------
    served : FootprintIndex or None
        What requests are answered from; None before the first.
    own : FootprintIndex or None
        The index object alone.
    etag : str or None
        Of the index object; None where there is none.
    checked : float
        When it was last asked for.
    published : FootprintIndex or None
        Rows of MAST's footprint file.
    published_read : float
        When that was read.
    sightings : dict
        By bucket and key: what a cube of a public source was when it was last asked for, None for gone, and when.
    """

    served: FootprintIndex | None = None
    own: FootprintIndex | None = None
    etag: str | None = None
    checked: float = 0.0
    published: FootprintIndex | None = None
    published_read: float = 0.0
    sightings: dict[tuple[str, str], tuple[ObjectInfo | None, float]] = field(default_factory=dict)


@dataclass
class CubeCache:
    """What is known of cubes that were read before.

    Parameters
    ----------
    cubes : dict
        By ETag.
    """

    cubes: dict[str, Cube] = field(default_factory=dict)


@dataclass
class ImageCache:
    """Datasets as they were last seen.

    Parameters
    ----------
    served : tuple of ServedDataset
        In the order of the document that names them.
    etags : dict
        Of the indexes, by name of the dataset; None where there is none.
    checked : float
        When they were last asked for, in seconds since 1970; 0 for never.
    """

    served: tuple[ServedDataset, ...] = ()
    etags: dict[str, str | None] = field(default_factory=dict)
    checked: float = 0.0
