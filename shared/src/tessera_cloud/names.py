"""Names of cubes and frames by product, as MAST spells them, and their folders."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tessera.errors import InvalidValueError
from tessera.tess.ids import CcdId, FrameName
from tessera.tess.products import PRODUCTS, SPOC, TICA, Product

_TICA_FRAME = re.compile(r"hlsp_tica_tess_ffi_s(\d{4,})-o\d+[a-z]?-\d{8}-cam([1-4])-ccd([1-4])_tess_v\d+_img\.fits")

_PACKED = re.compile(r"\.(gz|bz2|xz|fz)$")


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
    """Names and folders of a product that only the service needs. `tessera.tess.products` has the others.

    Parameters
    ----------
    own_prefix : str
        Beginning of the names of our own folders; empty for SPOC, the default product.
    cube_folder : str
        MAST's folder of cubes of the product, below the folder of all cubes.
    frame_ccd : callable
        Returns sector, camera and CCD of a frame, from its file name.
    frame_folder : callable
        Returns the folder below the prefix of the product that has the frames of a CCD. It is the CCD's own folder, or
        a folder with frames of other CCDs too.
    frame_path : callable
        Returns folders and name of a frame below the prefix of the product, from its file name.
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
    """Id of a cube: one CCD in one sector, and the product.

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
        """Name of the folders of the cube: ``s0001-1-1``, or ``tica-s0027-1-4``."""
        return f"{self.names.own_prefix}{self.ccd_id}"

    @property
    def names(self) -> ProductNames:
        """Names and folders of its product."""
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
        """Name of the product's frames in MAST's footprint file: ``TESS FFI``, ``TICA FFI``."""
        return self.kind.target_name

    @property
    def kind(self) -> Product:
        """Product as the engine knows it."""
        return PRODUCTS[self.product]

    @classmethod
    def parse(cls, text: str) -> CubeId:
        """Parse an `obs_id` or the name of a cube's folder."""
        for product, names in _NAMES.items():
            if names.own_prefix and text.startswith(names.own_prefix):
                return cls(CcdId.parse(text.removeprefix(names.own_prefix)), product)
        return cls(CcdId.parse(text))


def find_cube_id(name: str) -> CubeId | None:
    """Id of the cube with a file name; None if the name is not that of a cube."""
    try:
        cube_id = CubeId.parse(name.removesuffix("-cube.fits"))
    except InvalidValueError:
        return None
    return cube_id if cube_id.cube_name == name else None


def find_observed(obs_id: str) -> CubeId | None:
    """Id of the cube of a row of MAST's footprint file; None if the row is not about a CCD of a sector."""
    for product in PRODUCTS.values():
        if match := product.obs_id.fullmatch(obs_id):
            with suppress(InvalidValueError):
                return CubeId(CcdId(*map(int, match.groups())), product.name)
    return None


def frame_ccd(product: str, name: str) -> CcdId:
    """Sector, camera and CCD of a frame, from its file name.

    The name may end in ``.gz``, ``.bz2``, ``.xz`` or ``.fz``: a build names a packed frame instead of missing it.

    Raises
    ------
    InvalidValueError
        If the name is not that of a frame of the product.
    """
    return _NAMES[product].frame_ccd(_PACKED.sub("", name))


def frame_path(product: str, name: str) -> str:
    """Path of a frame below the prefix of its product, as MAST keeps it; raises the errors of `frame_ccd`."""
    return _NAMES[product].frame_path(name)
