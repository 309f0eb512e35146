"""What an execution environment remembers of cubes; apart from the use case, so that others need not load it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube


@dataclass
class CubeCache:
    """What is known of cubes that were read before.

    Parameters
    ----------
    cubes : dict
        By ETag.
    """

    cubes: dict[str, Cube] = field(default_factory=dict)
