"""Requests and answers about images in our own API."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from tessera_cloud.application.images.datasets import ImageKind
from tessera_cloud.application.images.order import Form, Stretch
from tessera_cloud.http.fields import Bytes, Columns, Dec, Document, Params, Ra, Rows, SRegion
from tessera_cloud.http.framework.forms import TextForm, together

NAME = "^[a-z0-9][a-z0-9._-]{0,63}$"
_SIZE = r"\d{1,5}(\.\d{1,9})?(,\d{1,5}(\.\d{1,9})?)?(px|d|m|s)?"
_NUMBER = r"[+-]?\d{1,12}(\.\d{1,12})?(e[+-]?\d{1,2})?"
Limits: TypeAlias = Annotated[
    str, TextForm(f"{_NUMBER},{_NUMBER}", "two numbers, such as 0.5,99.5, the first less than the second")
]


class ImageSearchQuery(Params):
    """A circle in which images are searched."""

    ra: Ra
    dec: Dec
    radius: Annotated[float, Field(ge=0, le=30, description="Radius in degrees.", examples=[0.1])] = 0.0
    dataset: Annotated[
        str, Field(max_length=64, description="Name of one dataset; all by default.", examples=["goods-north"])
    ] = ""
    limit: Annotated[int, Field(ge=1, le=1000, description="Largest number of files.", examples=[100])] = 100


class ImageCutoutQuery(Params):
    """A cutout of images around a position."""

    ra: Ra
    dec: Dec
    size: Annotated[
        str,
        TextForm(_SIZE, "such as 100, or rows and columns 100,200, in pixels, or with d, m or s in angles"),
        Field(
            description="`100`, or rows and columns `100,200`; pixels, or with `d`, `m` or `s` angles.",
            examples=["100"],
        ),
    ] = "100"
    format: Annotated[Form, Field(description="Format of the file.", examples=["fits"])] = "fits"
    bands: Annotated[
        str,
        Field(
            max_length=200,
            description="Bands such as `z` or `z,v,b`; three make a picture in red, green and blue. All by default.",
            examples=["z"],
        ),
    ] = ""
    combine: Annotated[
        Literal["", "mean"],
        Field(description="`mean` makes one FITS file of images that share a grid.", examples=["mean"]),
    ] = ""
    full: Annotated[bool, Field(description="Whether an ASDF file has the whole tree.", examples=[False])] = False
    stretch: Annotated[Stretch, Field(description="Stretch of a picture.", examples=["asinh"])] = "asinh"
    percent: Annotated[
        Limits | None, Field(description="Percentiles that become black and white.", examples=["0.5,99.5"])
    ] = None
    values: Annotated[
        Limits | None, Field(description="Values of pixels that become black and white.", examples=["0,100"])
    ] = None
    invert: Annotated[bool, Field(description="Whether black and white are exchanged.", examples=[False])] = False

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.combine and self.format != "fits":
            raise together("combine", f"combine is 'mean' with format {self.format}", "combine with format fits")
        if self.percent and self.values:
            raise together("values", "percent and values are given", "one of percent and values")
        if self.full and self.format != "asdf":
            raise together("full", f"full is true with format {self.format}", "full with format asdf")
        for name in ("stretch", "percent", "values", "invert"):
            if name in self.model_fields_set and self.format in ("fits", "asdf"):
                raise together(name, f"{name} is given with format {self.format}", f"{name} with format png or jpg")
        return self


class DatasetItem(Document):
    """A dataset of images."""

    name: str = Field(description="Name of the dataset in paths and parameters.", examples=["goods-north"])
    title: str = Field(description="Title of the dataset.", examples=["GOODS North"])
    mission: str = Field(description="Mission or telescope.", examples=["HST"])
    kind: ImageKind = Field(description="Kind of files.", examples=["fits"])
    bands: list[str] = Field(description="Names of the bands; empty if there are none.", examples=[["b", "v", "z"]])
    images: int = Field(description="Number of files that are indexed.", examples=[1000])
    indexed_at: str | None = Field(
        description="When the index was written, UTC; null if there is none.",
        examples=["2026-03-01T12:00:00+00:00"],
    )
    survey: str | None = Field(
        description="Name of the survey in the Zcut protocol; null if there is none.", examples=["goods_north"]
    )
    hapcut: bool = Field(description="Whether Hapcut serves the dataset.", examples=[False])


class DatasetList(Document):
    """Datasets of images."""

    datasets: list[DatasetItem] = Field(description="All datasets.")


class ImagePart(Document):
    """An image of a file."""

    extension: int = Field(description="Number of the HDU, from 0.", examples=[1])
    name: str = Field(description="Name of the HDU.", examples=["SCI"])
    rows: Rows
    columns: Columns
    arcseconds_per_pixel: float = Field(description="Size of a pixel along a row.", examples=[0.25])
    s_region: SRegion


class ImageItem(Document):
    """A file with images of a place."""

    dataset: str = Field(description="Name of the dataset.", examples=["goods-north"])
    name: str = Field(description="Name of the file.", examples=["h_n_s12_z_drz.fits"])
    band: str | None = Field(description="Band of the file; null if the dataset has no bands.", examples=["z"])
    bytes: Bytes
    images: list[ImagePart] = Field(description="Images of the file that see the place.")


class ImageList(Document):
    """Files with images of a place."""

    images: list[ImageItem] = Field(description="Files that see the place, at most `limit`.")
    complete: bool = Field(description="Whether these are all files that see the place.", examples=[True])


class SurveyList(Document):
    """Surveys of the Zcut protocol that have images of a place."""

    surveys: list[str] = Field(description="Names of surveys.", examples=[["goods_north"]])


class NoHap(Document):
    """A message that clients of Hapcut show if there is nothing to cut."""

    msg: str = Field(
        description="Text for the user.", examples=["Missing HAP files for input target. Cutout not performed."]
    )
    results: list[str] = Field(description="Always empty.", examples=[[]])
