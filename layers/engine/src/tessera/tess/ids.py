"""Identifiers of a detector in a sector, and file names of frames."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tessera.errors import InvalidValueError

_CCD_ID = re.compile(r"s(\d{4,})-([1-4])-([1-4])")
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
