"""Identifiers of a detector in a sector, and file names of frames."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tessera.errors import InvalidValueError

_CCD_ID = re.compile(r"s(\d{4,})-([1-4])-([1-4])")
_FRAMES_TEXT = re.compile(r"frames of (\S+) in (.+)", re.DOTALL)
_FRAME_NAME = re.compile(r"tess(\d{4})(\d{3})(\d{6})-s(\d{4,})-([1-4])-([1-4])-(\d{4})-[a-z]_ffic\.fits")


@dataclass(frozen=True, slots=True, order=True)
class CcdId:
    """One detector in one sector. A cube covers one detector in one sector.

    Parameters
    ----------
    sector : int
        Number of the observing run, from 1; special sectors have numbers above 1000.
    camera, ccd : int
        Number of the camera and of its detector, 1 to 4.

    Raises
    ------
    InvalidValueError
        When a number is not allowed.
    """

    sector: int
    camera: int
    ccd: int

    def __post_init__(self) -> None:
        if self.sector < 1:
            raise InvalidValueError("sector", self.sector, "an integer from 1")
        for argument, value in (("camera", self.camera), ("ccd", self.ccd)):
            if not 1 <= value <= 4:
                raise InvalidValueError(argument, value, "1, 2, 3 or 4")

    def __str__(self) -> str:
        return f"s{self.sector:04d}-{self.camera}-{self.ccd}"

    @property
    def obs_id(self) -> str:
        """Name in MAST's catalogues, such as ``tess-s0001-1-1``."""
        return f"tess-{self}"

    @property
    def cube_name(self) -> str:
        """File name of the cube, such as ``tess-s0001-1-1-cube.fits``."""
        return f"{self.obs_id}-cube.fits"

    @classmethod
    def parse(cls, text: str) -> CcdId:
        """Parse ``s0001-1-1`` or ``tess-s0001-1-1``; raise `InvalidValueError` for other texts."""
        match = _CCD_ID.fullmatch(text.removeprefix("tess-"))
        if match is None:
            raise InvalidValueError("ccd id", text, "the form s0001-1-1")
        return cls(*map(int, match.groups()))

    @classmethod
    def of_cube(cls, sector: int | None, camera: int | None, ccd: int | None, name: str) -> CcdId:
        """Take the numbers of a cube's header, or else those of its name, such as ``tica-s0027-1-4-cube.fits``.

        Raises
        ------
        InvalidValueError
            When neither has them.
        """
        if sector is not None and camera is not None and ccd is not None:
            return cls(sector, camera, ccd)
        match = _CCD_ID.fullmatch(cube_stem(name).partition("-")[2])
        if match is None:
            form = "a name such as tess-s0001-1-1-cube.fits, because its header lacks sector, camera or CCD"
            raise InvalidValueError("name of the cube", name, form)
        return cls(*map(int, match.groups()))


@dataclass(frozen=True, slots=True)
class FrameName:
    """File name of a calibrated SPOC frame at MAST, and its parts.

    Parameters
    ----------
    name : str
        ``tess<YYYYDDDHHMMSS>-s<sector>-<camera>-<ccd>-<scid>-<mode>_ffic.fits``.
    year, day : str
        Year (four digits) and day of the year (three digits) of the exposure.
    ccd_id : CcdId
        Sector, camera and CCD.
    """

    name: str
    year: str
    day: str
    ccd_id: CcdId

    @classmethod
    def parse(cls, name: str) -> FrameName:
        """Read a file name (no folders).

        Raises
        ------
        InvalidValueError
            When the name is not the name of a calibrated frame.
        """
        match = _FRAME_NAME.fullmatch(name)
        if match is None:
            raise InvalidValueError("frame name", name, "tess<YYYYDDDHHMMSS>-s<SSSS>-<camera>-<ccd>-<scid>-s_ffic.fits")
        year, day, _, sector, camera, ccd, _ = match.groups()
        return cls(name, year, day, CcdId(int(sector), int(camera), int(ccd)))

    @property
    def folder(self) -> str:
        """Folders below the FFI prefix in MAST's bucket: ``s0001/2018/206/4-2``."""
        return f"s{self.ccd_id.sector:04d}/{self.year}/{self.day}/{self.ccd_id.camera}-{self.ccd_id.ccd}"


def frames_text(obs_id: str, folder: str = "") -> str:
    """Text that stands for the frames of a CCD and sector where a cube has its location."""
    return f"frames of {obs_id} in {folder}" if folder else f"frames of {obs_id}"


def cube_stem(cube: str) -> str:
    """Name or location of a cube without its end, such as ``folder/tess-s0001-1-1``.

    A segment table has that of its cube, and frames have that of the cube that would be in their folder.
    """
    if frames := _FRAMES_TEXT.fullmatch(cube):
        return f"{frames[2]}/{frames[1]}"
    return cube.removesuffix(".fits").removesuffix(".json").removesuffix("-cube")
