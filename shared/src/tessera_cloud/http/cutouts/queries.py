"""Query strings and JSON bodies of requests for cutouts in our own API."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from tessera.windows import CubePlacement
from tessera_cloud.http.cutouts.regions import Place, Polygon
from tessera_cloud.http.fields import Dec, Flags, Params, Product, Ra, Sector
from tessera_cloud.http.framework.forms import TextForm, check_place, together

MAX_SIDE = 10_000
MAX_PLACES = 20_000

Degrees = Annotated[float, Field(gt=0, le=58)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE, description="Pixels.", examples=[10])]
QualityMask = Annotated[
    int,
    Field(
        ge=0, le=0x7FFFFFFF, description="Sum of quality bits; cadences with one of them are left out.", examples=[175]
    ),
]
Aperture = Annotated[str, TextForm(r"[0-9a-fA-F]*", "at most 2,500 hexadecimal digits, such as 07c0", longest=2500)]
"""Pixels as `tessera.lightcurves.photometry.parse_aperture` reads them; each use has its own description."""
CUBE, CUBE_WORDS = r"(tess|tica)-s\d{4,5}-[1-4]-[1-4]", "the name of a cube of /v1/cubes, such as tess-s0001-4-2"
"""Form of the name of a cube, and what is allowed, for errors."""
_APERTURE = rf"({CUBE}:)?(default|all|[0-9a-fA-F]+)"
Apertures = Annotated[
    str,
    TextForm(
        rf"({_APERTURE}(,{_APERTURE})*)?",
        "default, all or hexadecimal digits such as 07c0, and those of single cubes such as tess-s0001-4-2:07c0, "
        "with commas between them; at most 100,000 characters",
        longest=100_000,
    ),
]
"""See `tessera_cloud.application.cutouts.options`."""
CADENCES = "First and last cadence to keep, by the spacecraft's numbers where a cube has them."
_TIMES = "First and last time to keep, as in the column TIME: BTJD, or TJD for TICA frames."
_PAIR = r"[+-]?\d{1,9}(\.\d{1,20})?,[+-]?\d{1,9}(\.\d{1,20})?"
_IN_ORDER = "the first not above the last"


def _numbers(text: str) -> list[float]:
    return [float(piece) for piece in text.split(",")]


def _is_in_order(text: str) -> bool:
    first, last = _numbers(text)
    return first <= last


def _are_sides(text: str) -> bool:
    return all(1 <= side <= MAX_SIDE for side in _numbers(text))


def _are_positive(text: str) -> bool:
    return all(_numbers(text))


def _in_order(pair: list[Any]) -> list[Any]:
    if pair[0] > pair[1]:
        raise ValueError(f"a list of 2 numbers, {_IN_ORDER}")
    return pair


SectorTexts: TypeAlias = Annotated[
    str, TextForm(r"\d{1,5}(,\d{1,5})*", "numbers of sectors, such as 1 or 1,27,56", _are_positive)
]
TimeText: TypeAlias = Annotated[
    str, TextForm(_PAIR, f"the first and the last time, such as 1325.3,1330, {_IN_ORDER}", _is_in_order)
]
CadenceText: TypeAlias = Annotated[
    str, TextForm(r"\d{1,9},\d{1,9}", f"the first and the last cadence, such as 4697,4800, {_IN_ORDER}", _is_in_order)
]
SidesText: TypeAlias = Annotated[
    str,
    TextForm(
        r"\d{1,5}(,\d{1,5})?", f"1 to {MAX_SIDE:,} pixels, such as 10, or rows and columns, such as 10,20", _are_sides
    ),
]
Range: TypeAlias = Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(_in_order)]
Whole: TypeAlias = Annotated[
    list[Annotated[int, Field(ge=0, le=2**31 - 1)]], Field(min_length=2, max_length=2), AfterValidator(_in_order)
]


NamedCube: TypeAlias = Annotated[
    str,
    TextForm(CUBE, CUBE_WORDS),
    Field(description="Name of the cube; `/v1/targets` lists those that see a position.", examples=["tess-s0001-4-2"]),
]


class AngularSize(Params):
    """Size of a cutout on the sky."""

    height: Annotated[Degrees, Field(description="Height in degrees, along columns of pixels.", examples=[0.1])]
    width: Annotated[Degrees, Field(description="Width in degrees, along rows of pixels.", examples=[0.1])]


class FileOptions(Params):
    """Options of a target pixel file."""

    layout: Annotated[
        Literal["full", "slim"],
        Field(description="Columns of the file: `slim` leaves out those that are constant.", examples=["full"]),
    ] = "full"
    placement: Annotated[
        CubePlacement,
        Field(
            description="`centre` puts the target into the centre pixel, `tesscut` puts the window where "
            "the TESSCut service does. A region goes without it.",
            examples=["centre"],
        ),
    ] = "centre"
    quality_mask: QualityMask = 0
    flags: Flags = False
    difference: Annotated[
        bool,
        Field(
            description="Whether FLUX is the difference from the reference frame of the cube, the median of its good "
            "cadences. Cubes that were built or measured here have one. It goes with a position or a region.",
            examples=[False],
        ),
    ] = False
    frames: Annotated[
        bool,
        Field(
            description="Whether CCDs that have no cube yet are cut straight from their frames. Their files have "
            "`FROMFFI = T` in the primary header, and equal those of the later cube but for this card, `DATE` and "
            "`CHECKSUM`.",
            examples=[True],
        ),
    ] = True
    aperture: Annotated[
        Apertures,
        Field(
            description="Pixels that the HDU APERTURE marks as the optimal aperture: `default` for that of "
            "`/v1/preview`, `all`, or hexadecimal digits as there. Write a name of a cube and a colon before an "
            "aperture that is only for this cube, and commas between several. With an aperture, `size` is in pixels, "
            "and the place is a `position`, a `name`, or `ra` and `dec`.",
            examples=["default,tess-s0001-4-2:0e38e0"],
        ),
    ] = ""

    @model_validator(mode="after")
    def _pixels_tell_flags(self) -> Self:
        if self.flags and self.difference:
            raise together("flags", "flags is given with difference", "one of them: differences do not tell the flags")
        return self


class Options(FileOptions):
    """Options of target pixel files of several cubes."""

    product: Product = "SPOC"


class Around(Params):
    """A window around a position, and its cadences."""

    ra: Ra | None = None
    dec: Dec | None = None
    name: Annotated[
        str,
        Field(
            max_length=100,
            description="Instead of `ra` and `dec`: a name or a written position, as `/v1/resolve` reads it.",
            examples=["pi Men"],
        ),
    ] = ""
    size: Annotated[SidesText, Field(description="Pixels, or rows and columns: `10`, `10,20`.", examples=["10"])] = "10"
    time: Annotated[TimeText | None, Field(description=_TIMES, examples=["1325.3,1330"])] = None
    cadences: Annotated[CadenceText | None, Field(description=CADENCES, examples=["4697,4800"])] = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        check_place(self.ra, self.dec, "name", has_other=bool(self.name))
        return self


class CutoutQuery(Options, Around):
    """A cutout around a position."""

    sectors: Annotated[SectorTexts | None, Field(description="Sectors; all by default.", examples=["28,68"])] = None


class FileQuery(FileOptions, Around):
    """A cutout around a position on one cube."""

    cube: NamedCube


_EXAMPLE: JsonDict = {"position": {"ra": 88.9515, "dec": -75.3911}, "size": [5, 7], "sectors": [1]}


class Target(Params):
    """A body of the solar system."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Name, number or designation that JPL Horizons knows.",
            examples=["Eleonora"],
        ),
    ]
    kind: Annotated[
        Literal["majorbody", "smallbody"] | None,
        Field(description="Kind of body; needed only if the name is ambiguous.", examples=["smallbody"]),
    ] = None


class PathTable(Params):
    """Path of a target as TESS sees it: columns of the same length."""

    name: Annotated[
        str, Field(max_length=100, description="Name of the target in the files.", examples=["2018 XY"])
    ] = "path"
    time: Annotated[
        list[Annotated[float, Field(ge=2_400_000, le=2_500_000)]],
        Field(
            min_length=2,
            max_length=MAX_PLACES,
            description="Times, Julian dates in UTC.",
            examples=[[2458330.5, 2458331.5]],
        ),
    ]
    ra: Annotated[
        list[Ra],
        Field(
            min_length=2,
            max_length=MAX_PLACES,
            description="Right ascensions in degrees, ICRS.",
            examples=[[88.9, 89.1]],
        ),
    ]
    dec: Annotated[
        list[Dec],
        Field(
            min_length=2, max_length=MAX_PLACES, description="Declinations in degrees, ICRS.", examples=[[-75.4, -75.3]]
        ),
    ]

    @model_validator(mode="after")
    def _one_length(self) -> PathTable:
        lengths = [len(self.time), len(self.ra), len(self.dec)]
        if len(set(lengths)) > 1:
            said = "path has {:,} values of time, {:,} of ra and {:,} of dec".format(*lengths)
            raise together("path", said, "columns of the same length")
        if len(set(self.time)) < len(self.time):
            raise together("path.time", "path has a time twice", "every time once")
        return self


class CutoutBody(Options):
    """Cutouts around a position, of a region, or around a moving target."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    position: Annotated[
        Place | None,
        Field(description="Position to cut around; give one of `position`, `region`, `target` and `path`."),
    ] = None
    region: Annotated[Polygon | None, Field(description="Region to cut out; goes without `size`.")] = None
    target: Annotated[Target | None, Field(description="Body of the solar system to follow.")] = None
    path: Annotated[PathTable | None, Field(description="Path to follow, a table of times and positions.")] = None
    size: Annotated[
        Side | tuple[Side, Side] | AngularSize,
        Field(description="Pixels, [rows, columns] in pixels, or angles.", examples=[[5, 7]]),
    ] = 10
    sectors: (
        Annotated[
            list[Sector], Field(min_length=1, max_length=1000, description="Sectors; all by default.", examples=[[1]])
        ]
        | None
    ) = None
    time: Annotated[Range, Field(description=_TIMES, examples=[[1325.3, 1330.0]])] | None = None
    cadences: (
        Annotated[
            Whole,
            Field(
                description=CADENCES,
                examples=[[4697, 4800]],
            ),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _one_place(self) -> CutoutBody:
        places = ("position", "region", "target", "path")
        given = [name for name in places if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"the request has {' and '.join(given) or 'no position'}"
            raise together((given or places)[0], said, "one of position, region, target and path")
        if given[0] in ("target", "path") and self.layout != "full":
            raise together("layout", f"layout is 'slim' with {given[0]}", "full, or slim with position or region")
        if given[0] in ("target", "path") and self.difference:
            raise together("difference", f"difference is given with {given[0]}", "difference with position or region")
        if self.aperture and (given[0] != "position" or isinstance(self.size, AngularSize)):
            other = "a size in degrees" if given[0] == "position" else given[0]
            raise together(
                "aperture", f"aperture is given with {other}", "an aperture with position and pixels as size"
            )
        beside = [name for name in ("size", "placement") if name in self.model_fields_set and given[0] == "region"]
        for name in beside:
            raise together(name, f"{name} is given with region", f"region without {name}, or position with {name}")
        return self


class JobCancel(Params):
    """Secret of a client that asked for a job."""

    cancel_token: Annotated[
        str,
        Field(
            max_length=100,
            description="The `cancel_token` of the answer to your request for the job.",
            examples=["k3Q9Xv2mT0yWn1c8RzLd4A"],
        ),
    ] = ""
