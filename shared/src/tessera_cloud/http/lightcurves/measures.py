"""Options of light curves that previews and light curves of all sectors share."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from tessera.lightcurves.detrending.words import Detrending
from tessera_cloud.application.lightcurves.sizes import MAX_SIDE
from tessera_cloud.http.framework.forms import TextForm

_SWITCH = TypeAdapter(bool)


def _model_name(text: object) -> object:
    """Name of a model of the background; yes and no, in all spellings that other switches know, are median and none."""
    try:
        return "median" if _SWITCH.validate_python(text) else "none"
    except ValidationError:
        return text


SmallSides: TypeAlias = Annotated[
    str,
    TextForm(
        r"0*([1-9]\d?|100)(,0*([1-9]\d?|100))?",
        f"1 to {MAX_SIDE} pixels, such as 15, or rows and columns, such as 15,20",
        longest=20,
    ),
    Field(
        description="Pixels, 1 to 100: `15`, or rows and columns `15,20`.",
        examples=["15"],
    ),
]
BackgroundName: TypeAlias = Annotated[
    Literal["median", "rows", "components", "none"],
    BeforeValidator(_model_name),
    Field(
        description="Background that is subtracted in each cadence. `median`: the median of the pixels outside "
        "the aperture. `rows`: their median in each row. `components`: the part of the light curve that the five "
        "first principal components of these pixels fit. `none`: nothing. `true` means `median`, and `false` "
        "means `none`.",
        examples=["median"],
    ),
]

DetrendChoice: TypeAlias = Annotated[
    Detrending,
    Field(
        description="Trend of the instrument that is taken from the light curve. `pld`: what the pixels explain beside "
        "slow changes (pixel level decorrelation). `cbv`: what cotrending vectors of the CCD explain. `none`: none.",
        examples=["pld"],
    ),
]
"""A way to detrend light curves."""


def read_sides(text: str) -> tuple[int, int]:
    """Rows and columns of a size."""
    sides = [int(piece) for piece in text.split(",")]
    return sides[0], sides[-1]
