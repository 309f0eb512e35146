"""What requests to our own API may say: query strings and JSON bodies."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from tessera.windows import CubePlacement
from tessera_cloud.contracts import ProductName
from tessera_cloud.http.cutouts.regions import Point, Polygon, Position

MAX_SIDE = 10_000
MAX_PLACES = 20_000

Degrees = Annotated[float, Field(gt=0, le=58, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE, description="Pixels.")]
Sector = Annotated[int, Field(ge=1, le=99_999)]
Detector = Annotated[int, Field(ge=1, le=4)]
Ra = Annotated[float, Field(ge=-360, le=360, description="Right ascension in degrees, ICRS.", examples=[88.9515])]
Dec = Annotated[float, Field(ge=-90, le=90, description="Declination in degrees, ICRS.", examples=[-75.3911])]
QualityMask = Annotated[
    int, Field(ge=0, le=0x7FFFFFFF, description="Cadences with one of these quality bits are left out.")
]
_PAIR = r"^[+-]?\d{1,9}(\.\d{1,20})?,[+-]?\d{1,9}(\.\d{1,20})?$"


def _in_order(pair: list[Any]) -> list[Any]:
    if pair[0] > pair[1]:
        raise ValueError("first, last, with first <= last")
    return pair


def _text_in_order(text: str) -> str:
    _in_order([float(piece) for piece in text.split(",")])
    return text


def _pixels(text: str) -> str:
    if not all(1 <= int(piece) <= MAX_SIDE for piece in text.split(",")):
        raise ValueError(f"1 to {MAX_SIDE:,} pixels")
    return text


def _from_one(text: str) -> str:
    if not all(int(piece) for piece in text.split(",")):
        raise ValueError("integers from 1")
    return text


TextPair: TypeAlias = Annotated[str, AfterValidator(_text_in_order)]
Range: TypeAlias = Annotated[list[Finite], Field(min_length=2, max_length=2), AfterValidator(_in_order)]
Whole: TypeAlias = Annotated[
    list[Annotated[int, Field(ge=0, le=2**31 - 1)]], Field(min_length=2, max_length=2), AfterValidator(_in_order)
]


class Params(BaseModel):
    """Base: nothing unknown is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TesscutSector(BaseModel):
    """Parameters of TESSCut's ``sector``; names may be in any case."""

    ra: Ra
    dec: Dec
    radius: Annotated[
        str, Field(description="With the unit `d` (default), `m`, `s` or `px` (21 arcseconds): `0.2`, `12m`, `5px`.")
    ] = "0"
    product: Annotated[str, Field(description="`SPOC` or `TICA`, in any case.")] = "SPOC"


class TesscutCutout(BaseModel):
    """Parameters of TESSCut's ``astrocut``; names may be in any case."""

    ra: Ra
    dec: Dec
    y: Annotated[float, Field(gt=0, description="Rows, in `units`.", examples=[5])]
    x: Annotated[float, Field(gt=0, description="Columns, in `units`.", examples=[5])]
    units: Annotated[str, Field(description="`px` (default), `d`, `m` or `s`.")] = "px"
    sector: Annotated[str, Field(description="`1`, `28,68`, `[28, 68]`, repeated, or `All` (default).")] = "All"
    product: Annotated[str, Field(description="`SPOC` or `TICA`, in any case.")] = "SPOC"


class TesscutWcs(BaseModel):
    """Parameters of TESSCut's ``ffi_wcs``; names may be in any case."""

    sector: Sector
    camera: Detector
    ccd: Detector
    product: Annotated[str, Field(description="`SPOC` or `TICA`, in any case.")] = "SPOC"


class TesscutMoving(BaseModel):
    """Parameters of TESSCut's ``moving_target/sector``; names may be in any case."""

    obj_id: Annotated[
        str,
        Field(max_length=100, description="Name, number or designation that JPL Horizons knows: `Eleonora`, `354`."),
    ]
    obj_type: Annotated[str, Field(description="`majorbody` or `smallbody`, where the name does not tell.")] = ""
    product: Annotated[str, Field(description="`SPOC` or `TICA`, in any case.")] = "SPOC"


class TesscutMovingCutout(TesscutMoving):
    """Parameters of TESSCut's ``moving_target/astrocut``; names may be in any case."""

    y: Annotated[float, Field(gt=0, description="Rows, in `units`.")]
    x: Annotated[float, Field(gt=0, description="Columns, in `units`.")]
    units: Annotated[str, Field(description="`px` (default), `d`, `m` or `s`.")] = "px"
    sector: Annotated[str, Field(description="`1`, `28,68`, `[28, 68]`, repeated, or `All` (default).")] = "All"


class CubeQuery(Params):
    """Which cubes are listed."""

    sector: Sector | None = None
    camera: Detector | None = None
    ccd: Detector | None = None
    product: ProductName | None = None
    after: Annotated[str, Field(max_length=64, description="Name of the last cube of the page before.")] = ""
    limit: Annotated[int, Field(ge=1, le=1000, description="Most cubes of a page.")] = 100


class FootprintQuery(Params):
    """A circle, or a region."""

    ra: Ra | None = None
    dec: Dec | None = None
    radius: Annotated[float, Field(ge=0, le=30, description="Degrees.")] = 0.0
    region: Annotated[
        str,
        Field(
            max_length=8000,
            description="Instead of a position: a GeoJSON Point or Polygon with longitude = right ascension, "
            "or `POLYGON ra dec ra dec ra dec`. A polygon must be convex.",
        ),
    ] = ""
    product: ProductName = "SPOC"

    @model_validator(mode="after")
    def _one_place(self) -> FootprintQuery:
        position = self.ra is not None and self.dec is not None
        if position == bool(self.region) or (self.region and (self.ra, self.dec) != (None, None)):
            raise ValueError("either ra and dec, or region")
        return self


class AngularSize(Params):
    """Size of a cutout on the sky."""

    height: Annotated[Degrees, Field(description="Along columns of pixels, in degrees.")]
    width: Annotated[Degrees, Field(description="Along rows of pixels, in degrees.")]


class Options(Params):
    """What a target pixel file is made of."""

    product: ProductName = "SPOC"
    layout: Annotated[
        Literal["full", "slim"], Field(description="`slim` leaves out the columns that are constant.")
    ] = "full"
    placement: Annotated[
        CubePlacement,
        Field(
            description="`centre`: the target is in the centre pixel. `tesscut`: windows lie where TESSCut puts them. "
            "A region has no placement."
        ),
    ] = "centre"
    quality_mask: QualityMask = 0


class CutoutQuery(Options):
    """A cutout around a position."""

    ra: Ra
    dec: Dec
    size: Annotated[
        str,
        Field(pattern=r"^\d{1,5}(,\d{1,5})?$", description="Pixels: `10`, or rows and columns `10,20`."),
        AfterValidator(_pixels),
    ] = "10"
    sectors: (
        Annotated[
            str,
            Field(pattern=r"^\d{1,5}(,\d{1,5})*$", max_length=2000, description="`1` or `28,68`; all by default."),
            AfterValidator(_from_one),
        ]
        | None
    ) = None
    time: (
        Annotated[
            str, Field(pattern=_PAIR, description="First and last BTJD: `1325.3,1330`."), AfterValidator(_text_in_order)
        ]
        | None
    ) = None
    cadences: (
        Annotated[
            str, Field(pattern=r"^\d{1,9},\d{1,9}$", description="First and last."), AfterValidator(_text_in_order)
        ]
        | None
    ) = None


_EXAMPLE: JsonDict = {"position": {"ra": 88.9515, "dec": -75.3911}, "size": [5, 7], "sectors": [1]}


class Target(Params):
    """A body of the solar system."""

    name: Annotated[str, Field(min_length=1, max_length=100, description="Name, number or designation.")]
    kind: Annotated[
        Literal["majorbody", "smallbody"] | None, Field(description="Which of the two, where the name does not tell.")
    ] = None


class PathTable(Params):
    """Where something moves, as TESS sees it: columns of one length."""

    name: Annotated[str, Field(max_length=100)] = "path"
    time: Annotated[
        list[Annotated[float, Field(ge=2_400_000, le=2_500_000)]],
        Field(min_length=2, max_length=MAX_PLACES, description="Julian dates in UTC."),
    ]
    ra: Annotated[list[Ra], Field(min_length=2, max_length=MAX_PLACES)]
    dec: Annotated[list[Dec], Field(min_length=2, max_length=MAX_PLACES)]

    @model_validator(mode="after")
    def _one_length(self) -> PathTable:
        if not len(self.time) == len(self.ra) == len(self.dec):
            raise ValueError("as many times as ra and dec")
        if len(set(self.time)) < len(self.time):
            raise ValueError("each time once")
        return self


class CutoutBody(Options):
    """Cutouts around a position, of a region, or of something that moves."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    position: Annotated[
        Position | Point | None, Field(description="Where; one of `position`, `region`, `target` and `path`.")
    ] = None
    region: Annotated[Polygon | None, Field(description="What; without `size`.")] = None
    target: Annotated[Target | None, Field(description="What moves, by its name in JPL Horizons.")] = None
    path: Annotated[PathTable | None, Field(description="What moves, by a table of its places.")] = None
    size: Annotated[
        Side | tuple[Side, Side] | AngularSize, Field(description="Pixels, (rows, columns) in pixels, or angles.")
    ] = 10
    sectors: Annotated[list[Sector], Field(min_length=1, max_length=1000, description="All by default.")] | None = None
    time: Annotated[Range, Field(description="First and last BTJD to keep.")] | None = None
    cadences: (
        Annotated[
            Whole,
            Field(description="First and last cadence to keep, by the spacecraft's numbers where a cube has them."),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _one_place(self) -> CutoutBody:
        if [self.position, self.region, self.target, self.path].count(None) != 3:
            raise ValueError("one of position, region, target and path")
        if (self.target or self.path) and self.layout != "full":
            raise ValueError("layout slim goes with position and region only")
        if self.region is not None and "size" in self.model_fields_set:
            raise ValueError("size does not go with region")
        return self


class JobWait(Params):
    """How often a client has been sent here."""

    n: Annotated[int, Field(ge=1, le=1000, description="Counts the times that a client waited.")] = 1


class BuildQuery(Params):
    """Which builds are listed."""

    status: Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class BuildBody(Params):
    """What is to be built; the frames are those of the stack's own bucket."""

    sector: Sector
    camera: Detector
    ccd: Detector
    product: ProductName = "SPOC"
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    on_unreadable: Annotated[
        Literal["fail", "skip"], Field(description="`skip` leaves frames out that cannot be read.")
    ] = "fail"
