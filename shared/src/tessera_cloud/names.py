"""Names of cubes and frames by product: MAST's spellings, and the folders that they give."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tessera.errors import InvalidValueError
from tessera.tess.ids import CcdId, FrameName
from tessera.tess.products import PRODUCTS, SPOC, TICA, Product

_TICA_FRAME = re.compile(r"hlsp_tica_tess_ffi_s(\d{4,})-o\d+[a-z]?-\d{8}-cam([1-4])-ccd([1-4])_tess_v\d+_img\.fits")


def _spoc_frame_ccd(name: str) -> CcdId:
    return FrameName.parse(name).ccd_id


def _tica_frame_ccd(name: str) -> CcdId:
    match = _TICA_FRAME.fullmatch(name)
    if match is None:
        allowed = "hlsp_tica_tess_ffi_s<SSSS>-o<orbit>-<cadence>-cam<camera>-ccd<ccd>_tess_v01_img.fits"
        raise InvalidValueError("frame name", name, allowed)
    return CcdId(*map(int, match.groups()))


def _sector_folder(ccd_id: CcdId) -> str:
    return f"s{ccd_id.sector:04d}/"


def _detector_folder(ccd_id: CcdId) -> str:
    return f"{_sector_folder(ccd_id)}cam{ccd_id.camera}-ccd{ccd_id.ccd}/"


@dataclass(frozen=True, slots=True)
class ProductNames:
    """Names and folders of a product that only the service needs; the others are in `tessera.tess.products`.

    Parameters
    ----------
    own_prefix : str
        Of our own folders; empty for the product that is meant where none is named.
    cube_folder : str
        Where MAST keeps cubes of the product, below the folder of all cubes.
    frame_ccd : callable
        Sector, camera and CCD of a frame, by its file name.
    frame_folder : callable
        Folder below the product's prefix that holds the frames of a CCD, among others: all days, or the CCD's own.
    frame_path : callable
        Folders and name of a frame below the product's prefix, by its file name.
    """

    own_prefix: str
    cube_folder: str
    frame_ccd: Callable[[str], CcdId]
    frame_folder: Callable[[CcdId], str]
    frame_path: Callable[[str], str]


_NAMES = {
    SPOC.name: ProductNames(
        own_prefix="",
        cube_folder="",
        frame_ccd=_spoc_frame_ccd,
        frame_folder=_sector_folder,
        frame_path=lambda name: f"{FrameName.parse(name).folder}/{name}",
    ),
    TICA.name: ProductNames(
        own_prefix="tica-",
        cube_folder="tica/",
        frame_ccd=_tica_frame_ccd,
        frame_folder=_detector_folder,
        frame_path=lambda name: f"{_detector_folder(_tica_frame_ccd(name))}{name}",
    ),
}


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
        return f"{self.names.own_prefix}{self.ccd_id}"

    @property
    def names(self) -> ProductNames:
        """How its product is named."""
        return _NAMES[self.product]

    @property
    def obs_id(self) -> str:
        """Name in MAST's catalogues: ``tess-s0001-1-1``, ``tica-s0027-1-4``."""
        return f"{self.kind.prefix}-{self.ccd_id}"

    @property
    def cube_name(self) -> str:
        """File name of the cube."""
        return self.kind.cube_name(self.ccd_id)

    @property
    def target_name(self) -> str:
        """What MAST's footprint file calls the frames of the product: ``TESS FFI``, ``TICA FFI``."""
        return self.kind.target_name

    @property
    def kind(self) -> Product:
        """How the engine reads the frames."""
        return PRODUCTS[self.product]

    @classmethod
    def parse(cls, text: str) -> CubeId:
        """Read an `obs_id` or the folder of a cube."""
        for product, names in _NAMES.items():
            if names.own_prefix and text.startswith(names.own_prefix):
                return cls(CcdId.parse(text.removeprefix(names.own_prefix)), product)
        return cls(CcdId.parse(text))


def find_cube_id(name: str) -> CubeId | None:
    """What the cube with a file name covers; None for the name of something else."""
    try:
        cube_id = CubeId.parse(name.removesuffix("-cube.fits"))
    except InvalidValueError:
        return None
    return cube_id if cube_id.cube_name == name else None


def find_observed(obs_id: str) -> CubeId | None:
    """What a row of MAST's footprint file is about; None for something else than a CCD of a sector."""
    for product in PRODUCTS.values():
        if match := product.obs_id.fullmatch(obs_id):
            with suppress(InvalidValueError):
                return CubeId(CcdId(*map(int, match.groups())), product.name)
    return None


def frame_ccd(product: str, name: str) -> CcdId:
    """Sector, camera and CCD that a frame's file name tells.

    Raises
    ------
    InvalidValueError
        When the name is not that of a frame of the product.
    """
    return _NAMES[product].frame_ccd(name)


def frame_path(product: str, name: str) -> str:
    """Where MAST keeps a frame below the prefix of its product; errors as `frame_ccd`."""
    return _NAMES[product].frame_path(name)
