"""Images in our own API: what requests may say, and what is answered."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tessera_cloud.application.images.datasets import ImageKind
from tessera_cloud.application.images.order import Form, Stretch
from tessera_cloud.http.cutouts.queries import Dec, Params, Ra
from tessera_cloud.http.models import Document

NAME = "^[a-z0-9][a-z0-9._-]{0,63}$"
_SIZE = r"^\d{1,5}(\.\d{1,9})?(,\d{1,5}(\.\d{1,9})?)?(px|d|m|s)?$"
_NUMBER = r"[+-]?\d{1,12}(\.\d{1,12})?(e[+-]?\d{1,2})?"
_PAIR = f"^{_NUMBER},{_NUMBER}$"


class ImageSearchQuery(Params):
    """A circle in which images are looked for."""

    ra: Ra
    dec: Dec
    radius: Annotated[float, Field(ge=0, le=30, description="Degrees.")] = 0.0
    dataset: Annotated[str, Field(max_length=64, description="One dataset; all by default.")] = ""
    limit: Annotated[int, Field(ge=1, le=1000, description="Most files.")] = 100


class ImageCutoutQuery(Params):
    """A cutout of images around a position."""

    ra: Ra
    dec: Dec
    size: Annotated[
        str,
        Field(
            pattern=_SIZE, description="`100`, or rows and columns `100,200`; pixels, or with `d`, `m` or `s` angles."
        ),
    ] = "100"
    format: Form = "fits"
    bands: Annotated[
        str,
        Field(max_length=200, description="Such as `r` or `i,r,g`; three make a picture in red, green and blue."),
    ] = ""
    combine: Annotated[
        Literal["", "mean"], Field(description="`mean` makes one FITS file of images that share a grid.")
    ] = ""
    full: Annotated[bool, Field(description="ASDF with the whole tree.")] = False
    stretch: Stretch = "asinh"
    percent: Annotated[str, Field(pattern=_PAIR, description="Percentiles of black and white: `0.5,99.5`.")] | None = (
        None
    )
    values: Annotated[str, Field(pattern=_PAIR, description="Values of black and white.")] | None = None
    invert: bool = False

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.combine and self.format != "fits":
            raise ValueError("combine with format=fits")
        if self.percent and self.values:
            raise ValueError("either percent or values")
        return self


class DatasetItem(Document):
    """A dataset of images."""

    name: str
    title: str
    mission: str
    kind: ImageKind
    bands: list[str]
    images: int
    """Files that are indexed."""
    indexed_at: str | None
    survey: str | None
    """In the Zcut protocol."""
    hapcut: bool


class DatasetList(Document):
    """Datasets of images."""

    datasets: list[DatasetItem]


class ImagePart(Document):
    """An image of a file."""

    extension: int
    name: str
    rows: int
    columns: int
    arcseconds_per_pixel: float
    s_region: str


class ImageItem(Document):
    """A file that sees a place."""

    dataset: str
    name: str
    band: str | None
    bytes: int
    images: list[ImagePart]


class ImageList(Document):
    """Files that see a place; `complete` says whether these are all."""

    images: list[ImageItem]
    complete: bool


class SurveyList(Document):
    """Surveys of the Zcut protocol that see a place."""

    surveys: list[str]


class NoHap(Document):
    """What Hapcut's clients show where there is nothing to cut."""

    msg: str
    results: list[str]
