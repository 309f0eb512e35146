"""What a user wants to be cut out, whichever way it was asked for."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from tessera_cloud.application.cutouts.fixed import Position, Region
from tessera_cloud.application.cutouts.moving import Moving
from tessera_cloud.application.cutouts.options import CutoutOptions
from tessera_cloud.application.cutouts.shaped import Shaped
from tessera_cloud.contracts import Asked

Target: TypeAlias = Position | Region | Shaped | Moving


class CutoutRequest(Asked):
    """Cutouts of one target out of all cubes that see it.

    Parameters
    ----------
    target : Position, Region, Shaped or Moving
        What is cut.
    options : CutoutOptions
        Out of which cubes, and what of them.
    """

    target: Annotated[Target, Field(discriminator="kind")]
    options: CutoutOptions = CutoutOptions()
