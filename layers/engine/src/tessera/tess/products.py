"""Kinds of TESS frames, called products, and the differences between them.

To add a product, add an object here. The rest of the engine uses the attributes of the object and never its name.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tessera.errors import CubeFormatError
from tessera.tess.ids import CcdId


class HeaderCard(NamedTuple):
    """A card of target pixel files that the frames of a product do not have.

    Parameters
    ----------
    keyword, comment : str
        Keyword and comment of the card.
    value : str, int, bool or None, optional
        Value of the card; None for an undefined value.
    source : str, optional
        Keyword of the frames' headers that gives the value.
    as_date : bool, optional
        Whether the value of `source` is a day (BTJD or TJD) and becomes a calendar date.
    """

    keyword: str
    comment: str
    value: Any = None
    source: str = ""
    as_date: bool = False


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of full-frame image.

    Parameters
    ----------
    name : str
        Name of the product, in capitals.
    factory : str
        Name of the public class that builds its cubes, for error messages.
    prefix : str
        First word of the names of its cubes: ``<prefix>-s0001-1-1-cube.fits``.
    n_planes : int
        Number of planes: 2 for flux and error, 1 for flux only.
    in_extensions : bool
        Whether the planes of a frame are images in its extensions, one after the other. Otherwise the flux is in the
        primary HDU, and there are no errors.
    barycentric : bool
        Whether times are those of the barycentre, with the correction BARYCORR. Otherwise they are the spacecraft's.
    start, stop : str
        Keywords of the beginning and the end of an exposure. The column `start` of its info table identifies the
        product of a cube, so every product must have another keyword.
    detector : tuple of str
        Keywords of camera and CCD.
    from_last : tuple of str
        Keywords that the cube's primary header takes from the last frame.
    template : tuple
        Keyword and value that a frame must have to be the template of the info table.
    quality, cadence : str
        Keywords of the quality flags and of the cadence number; SPOC frames do not have the latter.
    flux_unit : str
        Unit of the pixels.
    exposure : str
        Keyword of the seconds in which a pixel gathers light: in a single read if pixels are per second, otherwise in
        the whole exposure.
    tpf_cards : tuple of HeaderCard
        Cards of the primary header of target pixel files that frames do not have, in order.
    frame_sector : re.Pattern
        Pattern that finds the sector, its only group, in the name of a frame.
    frame_end : str
        End of the names of calibrated frames.
    frame_detector : re.Pattern
        Pattern that finds camera and CCD, its two groups, in the name of a frame.
    obs_id : re.Pattern
        Pattern of the beginning of an obs_id in MAST's footprint file; the groups are sector, camera and CCD.
    target_name : str
        Name of the frames in MAST's footprint file.
    mast_footprints, mast_cubes : str
        Addresses of MAST's footprint file, and of its folder of cubes.
    mast_times : {'utc', 'tdb'}
        Scale of the times in MAST's footprint file.
    """

    name: str
    factory: str
    prefix: str
    n_planes: int
    in_extensions: bool
    barycentric: bool
    start: str
    stop: str
    detector: tuple[str, str]
    from_last: tuple[str, ...]
    template: tuple[str, int]
    quality: str
    cadence: str
    flux_unit: str
    exposure: str
    tpf_cards: tuple[HeaderCard, ...]
    frame_sector: re.Pattern[str]
    frame_end: str
    frame_detector: re.Pattern[str]
    obs_id: re.Pattern[str]
    target_name: str
    mast_footprints: str
    mast_cubes: str
    mast_times: Literal["utc", "tdb"]

    @property
    def time_system(self) -> str:
        """Name of its times, which are days since JD 2457000 in TDB: BTJD at the barycentre, TJD at the spacecraft."""
        return "BTJD" if self.barycentric else "TJD"

    @property
    def has_errors(self) -> bool:
        """Whether the frames have a plane of errors."""
        return self.n_planes > 1

    def cube_name(self, ccd_id: CcdId) -> str:
        """File name of the cube of a CCD."""
        return f"{self.prefix}-{ccd_id}-cube.fits"


SPOC = Product(
    name="SPOC",
    factory="CubeFactory",
    prefix="tess",
    n_planes=2,
    in_extensions=True,
    barycentric=True,
    start="TSTART",
    stop="TSTOP",
    detector=("CAMERA", "CCD"),
    from_last=("DATE-END", "TSTOP"),
    template=("WCSAXES", 2),
    quality="DQUALITY",
    cadence="CADENCENO",
    flux_unit="e-/s",
    exposure="INT_TIME",
    tpf_cards=(),
    frame_sector=re.compile(r"-s(\d{4,})-[1-4]-[1-4]-"),
    frame_end="_ffic.fits",
    frame_detector=re.compile(r"-s\d{4,}-([1-4])-([1-4])-"),
    obs_id=re.compile(r"tess-s(\d{4,})-(\d)-(\d)"),
    target_name="TESS FFI",
    mast_footprints="s3://stpubdata/tess/public/footprints/tess_ffi_footprint_cache.json",
    mast_cubes="s3://stpubdata/tess/public/mast/",
    mast_times="utc",
)
"""Frames of the mission's pipeline: image and uncertainty in extensions 1 and 2."""

TICA = Product(
    name="TICA",
    factory="TicaCubeFactory",
    prefix="tica",
    n_planes=1,
    in_extensions=False,
    barycentric=False,
    start="STARTTJD",
    stop="ENDTJD",
    detector=("CAMNUM", "CCDNUM"),
    from_last=("ENDTJD",),
    template=("NAXIS", 2),
    quality="QUAL_BIT",
    cadence="CADENCE",
    flux_unit="e-",
    exposure="EXPTIME",
    tpf_cards=(
        HeaderCard("EXTVER", "extension version number (not format version)", "1"),
        HeaderCard("SIMDATA", "file is based on simulated data", value=False),
        HeaderCard("NEXTEND", "number of standard extensions", "2"),
        HeaderCard("TSTART", "observation start time in TJD of first FFI", source="STARTTJD"),
        HeaderCard("TSTOP", "observation stop time in TJD of last FFI", source="ENDTJD"),
        HeaderCard("CAMERA", "Camera number", source="CAMNUM"),
        HeaderCard("CCD", "CCD chip number", source="CCDNUM"),
        HeaderCard("ASTATE", "archive state F indicates single orbit processing"),
        HeaderCard("CRMITEN", "spacecraft cosmic ray mitigation enabled", source="CRM"),
        HeaderCard("CRBLKSZ", "[exposures] s/c cosmic ray mitigation block siz"),
        HeaderCard("FFIINDEX", "number of FFI cadence interval of first FFI", source="CADENCE"),
        HeaderCard("DATA_REL", "data release version number"),
        HeaderCard("DATE-OBS", "TSTART as UTC calendar date of first FFI", source="STARTTJD", as_date=True),
        HeaderCard("DATE-END", "TSTOP as UTC calendar date of last FFI", source="ENDTJD", as_date=True),
        HeaderCard("FILEVER", "file format version"),
        HeaderCard("RADESYS", "reference frame of celestial coordinates"),
        HeaderCard("SCCONFIG", "spacecraft configuration ID"),
        HeaderCard("TIMVERSN", "OGIP memo number for file format"),
    ),
    frame_sector=re.compile(r"_s(\d{4,})-"),
    frame_end="_img.fits",
    frame_detector=re.compile(r"-cam([1-4])-ccd([1-4])_"),
    obs_id=re.compile(r"(?:tica-s|hlsp_tica_s)(\d{4,})-(?:cam)?(\d)-(?:ccd)?(\d)"),
    target_name="TICA FFI",
    mast_footprints="s3://stpubdata/tess/public/footprints/tica_ffi_footprint_cache.json",
    mast_cubes="s3://stpubdata/tess/public/mast/tica/",
    mast_times="tdb",
)
"""Frames of the TESS Image CAlibrator: one image in the primary HDU."""

PRODUCTS = {product.name: product for product in (SPOC, TICA)}
"""All products by name."""


def parse_product(name: str) -> Product:
    """Find a product by its name, in capitals or small letters.

    Raises
    ------
    InvalidInputError
        When there is no such product.
    """
    quoted = " or ".join(f'"{item}"' for item in PRODUCTS)
    message = f"Product for TESS cube cutouts must be either {quoted}."
    from tessera.checks import check_choice  # noqa: PLC0415 - imports NumPy, which functions without arrays do not need

    return PRODUCTS[check_choice("product", name, PRODUCTS, message, any_case=True)]


def find_product(cube: str, columns: Container[str]) -> Product:
    """Find the product of a cube by the columns of its info table.

    Parameters
    ----------
    cube : str
        Name of the cube, for the error.
    columns : container of str
        Names of the columns.

    Raises
    ------
    CubeFormatError
        When the columns are not those of a product.
    """
    for product in PRODUCTS.values():
        if product.start in columns:
            return product
    starts = " nor ".join(product.start for product in PRODUCTS.values())
    raise CubeFormatError(f"{cube}: the info table has neither {starts}")
