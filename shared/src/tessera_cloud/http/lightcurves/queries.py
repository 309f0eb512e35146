"""Parameters of requests for light curves of all sectors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tessera.stitching.levels import GAP_DAYS
from tessera_cloud.http.cutouts.queries import Around, SectorTexts
from tessera_cloud.http.fields import Flags, Product
from tessera_cloud.http.framework.forms import TextForm
from tessera_cloud.http.lightcurves.measures import BackgroundName, DetrendChoice, SmallSides

_QUALITY_WORDS = "none, default, hard, hardest, or the sum of quality bits, such as 175"


def _is_bits(text: str) -> bool:
    return not text.isdecimal() or int(text) < 2**31


class LightCurveQuery(Around):
    """A light curve of all sectors around a position."""

    size: SmallSides = "11"
    sectors: Annotated[SectorTexts | None, Field(description="Sectors; all by default.", examples=["28,68"])] = None
    product: Product = "SPOC"
    aperture: Annotated[
        str,
        TextForm(
            r"default|all|[0-9a-fA-F]+",
            "default, all, or hexadecimal digits such as 07c0 as in /v1/preview",
            longest=2500,
        ),
        Field(
            description="Pixels that are summed in each sector: `default` for those of `/v1/preview`, `all`, or "
            "hexadecimal digits as there. Digits mean the same pixels of the window in each sector, although the sky "
            "turns from sector to sector.",
            examples=["default"],
        ),
    ] = "default"
    background: BackgroundName = "median"
    detrend: DetrendChoice = "none"
    flags: Flags = False
    quality: Annotated[
        str,
        TextForm(r"none|default|hard|hardest|\d{1,10}", _QUALITY_WORDS, _is_bits),
        Field(
            description="Quality bits as in lightkurve; cadences with one of them are left out: `default`, `hard`, "
            "`hardest`, `none`, or the sum of the bits.",
            examples=["default"],
        ),
    ] = "default"
    level: Annotated[
        Literal["divide", "shift", "none"],
        Field(
            description="Rule for levels. The level of a sector is the median of its flux without quality "
            "bits. `divide`: divide by it. `shift`: add what brings it to the median of all levels. `none`: "
            "nothing.",
            examples=["divide"],
        ),
    ] = "divide"
    gap: Annotated[
        float,
        Field(gt=0, le=10_000, description="Longest time in days without points that is no gap.", examples=[0.5]),
    ] = GAP_DAYS
