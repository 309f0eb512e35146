"""Names of cubes and frames by product: MAST's spellings, and the folders that they give."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tessera.errors import InvalidValueError
from tessera.tess.ids import CcdId, FrameName
from tessera.tess.products import PRODUCTS, SPOC, TICA, Product

_TICA_FRAME = re.compile(r"hlsp_tica_tess_ffi_s(\d{4,})-o\d+[a-z]?-\d{8}-cam([1-4])-ccd([1-4])_tess_v\d+_img\.fits")
_PREFIXES = {SPOC.name: "tess", TICA.name: "tica"}


@dataclass(frozen=True, slots=True)
class CubeId:
    """What one cube covers: a detector in a sector, as one product shows it.

    Parameters
    ----------
    ccd_id : CcdId
        Sector, camera and CCD.
    product : str
        ``SPOC`` or ``TICA``.
    """

    ccd_id: CcdId
    product: str = SPOC.name

    def __str__(self) -> str:
        """Folder of everything about the cube: ``s0001-1-1``, or ``tica-s0027-1-4``."""
        return str(self.ccd_id) if self.product == SPOC.name else self.obs_id

    @property
    def obs_id(self) -> str:
        """Name in MAST's catalogues: ``tess-s0001-1-1``, ``tica-s0027-1-4``."""
        return f"{_PREFIXES[self.product]}-{self.ccd_id}"

    @property
    def cube_name(self) -> str:
        """File name of the cube."""
        return f"{self.obs_id}-cube.fits"

    @property
    def target_name(self) -> str:
        """What MAST's footprint file calls the frames of the product: ``TESS FFI``, ``TICA FFI``."""
        return f"{_PREFIXES[self.product].upper()} FFI"

    @property
    def kind(self) -> Product:
        """How the engine reads the frames."""
        return PRODUCTS[self.product]

    @classmethod
    def parse(cls, text: str) -> CubeId:
        """Read an `obs_id` or the folder of a cube."""
        product = TICA.name if text.startswith("tica-") else SPOC.name
        return cls(CcdId.parse(text.removeprefix("tica-")), product)


def find_cube_id(name: str) -> CubeId | None:
    """What the cube with a file name covers; None for the name of something else."""
    try:
        cube_id = CubeId.parse(name.removesuffix("-cube.fits"))
    except InvalidValueError:
        return None
    return cube_id if cube_id.cube_name == name else None


def frame_ccd(product: str, name: str) -> CcdId:
    """Sector, camera and CCD that a frame's file name tells.

    Raises
    ------
    InvalidValueError
        When the name is not that of a frame of the product.
    """
    if product == SPOC.name:
        return FrameName.parse(name).ccd_id
    match = _TICA_FRAME.fullmatch(name)
    if match is None:
        allowed = "hlsp_tica_tess_ffi_s<SSSS>-o<orbit>-<cadence>-cam<camera>-ccd<ccd>_tess_v01_img.fits"
        raise InvalidValueError("frame name", name, allowed)
    return CcdId(*map(int, match.groups()))


def sector_folder(cube_id: CubeId) -> str:
    """Folder below a product's prefix that holds the frames of a cube, among others: all days, or the CCD's own."""
    ccd_id = cube_id.ccd_id
    sector = f"s{ccd_id.sector:04d}/"
    return sector if cube_id.product == SPOC.name else f"{sector}cam{ccd_id.camera}-ccd{ccd_id.ccd}/"
