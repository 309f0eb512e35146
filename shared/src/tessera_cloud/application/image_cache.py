"""What an execution environment remembers of datasets of images; apart from the use case, as `index_cache` is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tessera_cloud.application.images.index import ServedDataset


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
