"""What an execution environment remembers of the footprint index; apart from the use case, as `cube_cache` is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tessera_cloud.ports import ObjectInfo

if TYPE_CHECKING:
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
