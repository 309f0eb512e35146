"""Query strings and JSON bodies of requests for lists of targets."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, model_validator

from tessera.bulk.epochs import FIRST_YEAR, LAST_YEAR
from tessera.bulk.lists.forms import Form
from tessera.bulk.options import APERTURES, DEFAULT_SIZE, LARGEST_SIDE, Output, Packing
from tessera_cloud.application.bulk.uploads import UPLOAD_BYTES, UPLOAD_ID
from tessera_cloud.http.cutouts.queries import SectorTexts
from tessera_cloud.http.fields import Flags, Params, Product, Sector
from tessera_cloud.http.framework.forms import TextForm, together
from tessera_cloud.http.lightcurves.measures import DetrendChoice

MOST_FILES = 1000
_OUTPUTS = get_args(Output)
_APERTURE = f"{', '.join(APERTURES)}, or hexadecimal digits, such as 07c0"
_UPLOAD = "the id of an upload, as `POST /v1/bulk/uploads` gives it"
Aperture = Annotated[str, TextForm(rf"{'|'.join(APERTURES)}|[0-9a-fA-F]+", _APERTURE, longest=2600)]
UploadId = Annotated[str, TextForm(UPLOAD_ID, _UPLOAD, longest=100)]
Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]


def _are_sides(text: str) -> bool:
    return all(1 <= int(side) <= LARGEST_SIDE for side in text.split(","))


class ListOptions(Params):
    """What to make of a list of targets, for all rows that do not say otherwise."""

    product: Product = "SPOC"
    aperture: Annotated[
        Aperture,
        Field(
            description="Pixels whose values are summed, for rows without an aperture: `default` (as in previews), "
            "`all`, or hexadecimal digits as in `/v1/preview`.",
            examples=["default"],
        ),
    ] = "default"
    background: Annotated[
        bool, Field(description="Whether the local background is taken from light curves.", examples=[True])
    ] = True
    layout: Annotated[
        Literal["full", "slim"],
        Field(
            description="Columns of target pixel files: `slim` leaves out those that are constant.", examples=["full"]
        ),
    ] = "full"
    packing: Annotated[
        Packing,
        Field(description="Files of single targets in archives of up to 2 GB, or one by one.", examples=["zip"]),
    ] = "zip"
    best_only: Annotated[
        bool,
        Field(
            description="Whether a target that is on two CCDs of a sector is cut from the better one only. Otherwise "
            "it is cut from both, and marked.",
            examples=[False],
        ),
    ] = False
    epoch: Annotated[
        float | None,
        Field(
            ge=FIRST_YEAR,
            le=LAST_YEAR,
            description="Julian year of the positions, for rows that have a proper motion and no epoch.",
            examples=[2016.0],
        ),
    ] = None
    flags: Flags = False
    detrend: DetrendChoice = "none"
    format: Annotated[Form | None, Field(description="Format of the list; found out by default.", examples=["csv"])] = (
        None
    )


class BulkQuery(ListOptions):
    """Options in the query string, where the body is the file of a list."""

    outputs: Annotated[
        Annotated[
            str,
            TextForm(
                rf"({'|'.join(_OUTPUTS)})(,({'|'.join(_OUTPUTS)}))*", "parquet, lightcurves and tpf, one or several"
            ),
        ],
        Field(
            description="Products: `parquet` (light curves as a catalogue), `lightcurves` (a FITS file each), `tpf` "
            "(target pixel files); several with commas.",
            examples=["parquet,tpf"],
        ),
    ] = "parquet"
    size: Annotated[
        Annotated[
            str,
            TextForm(
                r"\d{1,5}(,\d{1,5})?",
                f"1 to {LARGEST_SIDE} pixels, such as 11, or rows and columns, such as 11,7",
                _are_sides,
            ),
        ],
        Field(description="Pixels of a window, or rows and columns, for rows without a size.", examples=["11"]),
    ] = str(DEFAULT_SIZE)
    sectors: Annotated[
        SectorTexts | None, Field(description="Sectors, for rows without sectors; all by default.", examples=["1,27"])
    ] = None
    upload: Annotated[
        UploadId | None,
        Field(
            description="Id of an upload that has the list. The body is empty then.",
            examples=["k3Q9Xv2mT0yWn1c8RzLd4A"],
        ),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """Arguments of `tessera.bulk.options.check_options`."""
        sides = [int(side) for side in self.size.split(",")]
        found: dict[str, Any] = {"outputs": self.outputs.split(","), "size": (sides[0], sides[-1])}
        sectors = None if self.sectors is None else [int(piece) for piece in self.sectors.split(",")]
        return _shared(self) | found | {"sectors": sectors}


class BulkBody(ListOptions):
    """A list of targets, or the upload that has it, and what to make of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"targets": [{"name": "TIC 25155310"}, {"ra": 88.9515, "dec": -75.3911}], "size": 11}]
        }
    )

    targets: Annotated[
        list[Any] | dict[str, Any] | None,
        Field(
            description="Targets: a list of objects, names or pairs of degrees, or an object of columns. Columns are "
            "those of a table: `name`, or `ra` and `dec`, and `pmra`, `pmdec`, `epoch`, `size`, `sectors`, `aperture`.",
            examples=[[{"name": "TIC 25155310"}]],
        ),
    ] = None
    upload: Annotated[
        UploadId | None,
        Field(
            description="Instead of `targets`: id of an upload that has the list.", examples=["k3Q9Xv2mT0yWn1c8RzLd4A"]
        ),
    ] = None
    outputs: (
        Annotated[
            list[Output],
            Field(
                min_length=1,
                max_length=3,
                description="Products: `parquet` (light curves as a catalogue; the default), `lightcurves` (a FITS "
                "file each), `tpf` (target pixel files).",
                examples=[["parquet", "tpf"]],
            ),
        ]
        | None
    ) = None
    size: Annotated[
        Side | tuple[Side, Side],
        Field(description="Pixels of a window, or [rows, columns], for rows without a size.", examples=[11]),
    ] = DEFAULT_SIZE
    sectors: (
        Annotated[
            list[Sector],
            Field(
                min_length=1,
                max_length=1000,
                description="Sectors, for rows without sectors; all by default.",
                examples=[[1]],
            ),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _one_list(self) -> BulkBody:
        given = [name for name in ("targets", "upload") if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"the request has {' and '.join(given) or 'no targets'}"
            raise together("targets", said, "targets, or upload")
        return self

    def arguments(self) -> dict[str, Any]:
        """Arguments of `tessera.bulk.options.check_options`."""
        outputs = ["parquet"] if self.outputs is None else self.outputs
        return _shared(self) | {"outputs": outputs, "size": self.size, "sectors": self.sectors}


def _shared(given: ListOptions) -> dict[str, Any]:
    names = ("product", "aperture", "background", "layout", "packing", "best_only", "epoch", "flags", "detrend")
    return {name: getattr(given, name) for name in names}


class UploadBody(Params):
    """An upload that a client wants to make."""

    bytes: Annotated[int, Field(ge=1, le=UPLOAD_BYTES, description="Size of the file in bytes.", examples=[23_456_789])]


class ListPage(Params):
    """Page of the products of a list."""

    after: Annotated[
        str,
        Field(
            max_length=1000,
            description="Name of the last product of the page before; empty for the first page.",
            examples=[""],
        ),
    ] = ""
    limit: Annotated[
        int, Field(ge=0, le=MOST_FILES, description="Largest number of products to link.", examples=[100])
    ] = 100


class ListCancel(Params):
    """Secret of a client that asked for a list."""

    cancel_token: Annotated[
        str,
        Field(
            max_length=100,
            description="The `cancel_token` of the answer to your request for the list.",
            examples=["k3Q9Xv2mT0yWn1c8RzLd4A"],
        ),
    ] = ""
