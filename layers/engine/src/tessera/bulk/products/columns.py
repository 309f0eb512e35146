"""Columns of the catalogue of light curves: one row for each target and cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tessera.bulk.options import BulkOptions
from tessera.extras import import_extra
from tessera.lightcurves.curve_files import electron_unit
from tessera.tess.products import PRODUCTS

HEALPIX = "_healpix_29"
"""Name of the column by which the rows of a file are sorted."""
PURPOSE = "catalogues of light curves"
"""What Arrow is needed for, in errors."""


@dataclass(frozen=True, slots=True)
class CatalogueColumn:
    """A column.

    Parameters
    ----------
    name : str
        Name.
    kind : {'int64', 'int32', 'float64', 'bool', 'string'}
        Type of a value.
    about : str
        What it is.
    unit : str
        Unit as in the VOUnit standard; empty for numbers without one.
    many : bool
        Whether a row has a list, with a value for each cadence of the cube.
    """

    name: str
    kind: str
    about: str
    unit: str = ""
    many: bool = False


_TARGET = (
    CatalogueColumn(HEALPIX, "int64", "HEALPix pixel of ra and dec, order 29, nested scheme"),
    CatalogueColumn("row", "int64", "number of the row in the list of targets, from 1"),
    CatalogueColumn("target", "string", "name, or position as it was given"),
    CatalogueColumn("tic", "int64", "number in the TESS Input Catalog; 0 if it is not known"),
    CatalogueColumn("ra", "float64", "right ascension as it was given, ICRS", "deg"),
    CatalogueColumn("dec", "float64", "declination as it was given, ICRS", "deg"),
    CatalogueColumn("cube", "string", "cube that was measured"),
    CatalogueColumn("sector", "int32", "sector of TESS"),
    CatalogueColumn("camera", "int32", "camera"),
    CatalogueColumn("ccd", "int32", "CCD of the camera"),
    CatalogueColumn("best", "bool", "false if another CCD of the sector sees the target farther from its edge"),
    CatalogueColumn("pixel_row", "float64", "row of the target on the frame; the centre of the first is 0", "pixel"),
    CatalogueColumn("pixel_column", "float64", "column of the target on the frame, as pixel_row", "pixel"),
    CatalogueColumn("edge", "float64", "distance to the nearest edge of the pixels that see the sky", "pixel"),
    CatalogueColumn("first_row", "int32", "first row of the window"),
    CatalogueColumn("first_column", "int32", "first column of the window"),
    CatalogueColumn("n_rows", "int32", "rows of the window"),
    CatalogueColumn("n_columns", "int32", "columns of the window"),
    CatalogueColumn(
        "aperture", "string", "aperture in hexadecimal digits: a bit for each pixel of the window, by rows"
    ),
    CatalogueColumn("n_aperture", "int32", "pixels of the aperture"),
    CatalogueColumn("n_cadences", "int32", "values in each list"),
)


_DETRENDED = CatalogueColumn("detrended", "string", "parts of the trend that was removed")


def target_columns() -> tuple[CatalogueColumn, ...]:
    """Columns with one value in a row. They come first."""
    return _TARGET


def curve_columns(options: BulkOptions) -> tuple[CatalogueColumn, ...]:
    """Columns with a list in each row. All lists of a row have the same length."""
    product = PRODUCTS[options.product]
    unit = electron_unit(product.flux_unit)
    place = "at the barycentre of the solar system" if product.barycentric else "at the spacecraft"
    background = CatalogueColumn(
        "background", "float64", "background that was subtracted; NaN if there is none", unit, many=True
    )
    trend = CatalogueColumn("trend", "float64", "trend of the instrument that was removed from flux", unit, many=True)
    number = CatalogueColumn("cadence_number", "int32", "count of exposures; -1 if not known", many=True)
    return (
        CatalogueColumn(
            "time", "float64", f"middle of the exposure, days since JD 2457000, TDB, {place}", "d", many=True
        ),
        CatalogueColumn("flux", "float64", "sum of the aperture, without background", unit, many=True),
        CatalogueColumn("flux_err", "float64", "error of flux; NaN if it is not known", unit, many=True),
        *((background,) if options.background else ()),
        *((trend,) if options.detrend != "none" else ()),
        CatalogueColumn("centroid_row", "float64", "row of the centroid of the aperture", "pixel", many=True),
        CatalogueColumn("centroid_column", "float64", "column of the centroid of the aperture", "pixel", many=True),
        CatalogueColumn("quality", "int32", "quality bits of the frame; 0 is good", many=True),
        number,
    )


def catalogue_columns(options: BulkOptions) -> tuple[CatalogueColumn, ...]:
    """All columns of a catalogue, in order."""
    return target_columns() + curve_columns(options) + ((_DETRENDED,) if options.detrend != "none" else ())


def file_facts(options: BulkOptions, version: str) -> dict[str, str]:
    """What the metadata of a file say about the whole: the software, the kind of frames, and the scale of the times."""
    product = PRODUCTS[options.product]
    return {
        "creator": f"tessera {version}",
        "product": product.name,
        "time_system": product.time_system,
        "flux_unit": product.flux_unit,
    }


def arrow_schema(options: BulkOptions) -> Any:
    """Schema for Arrow, with the unit and the meaning of each column in its metadata.

    Raises
    ------
    MissingPackageError
        When Arrow is not installed.
    """
    arrow = import_extra("arro3.core", PURPOSE)

    def field(column: CatalogueColumn) -> Any:
        kind = getattr(arrow.DataType, column.kind)()
        if column.many:
            kind = arrow.DataType.list(arrow.Field("item", kind, nullable=False))
        about = {"description": column.about, **({"unit": column.unit} if column.unit else {})}
        return arrow.Field(column.name, kind, nullable=False, metadata=about)

    return arrow.Schema([field(column) for column in catalogue_columns(options)])
