"""The record of a cutout of an ASDF image: with the image, it decides all nodes and pixels of the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any, Literal, Self

from astropy.coordinates import SkyCoord

from tessera import __version__
from tessera.images.hdus import file_bytes
from tessera.io.locations import shown
from tessera.io.sources import Location
from tessera.provenance.asdf_files import add_asdf_record
from tessera.provenance.fits_files import add_provenance
from tessera.provenance.record import Origin, Record, from_number, to_number
from tessera.roman.cut import AsdfOptions, AsdfPart, cut_asdf_window
from tessera.roman.products import fits_object
from tessera.roman.writer import AsdfWriter
from tessera.windows import Window


@dataclass(frozen=True)
class AsdfRecipe:
    """What decides a cutout of an ASDF image.

    Parameters
    ----------
    window : Window
        Its pixels.
    ra, dec : float
        Position of the target, ICRS degrees.
    file : str
        Name of the image's file, as the cutout has it.
    form : {'asdf', 'fits'}
        Format of the file.
    day : date
        Date of creation, which FITS files have.
    lite : bool
        Whether it has only the image and its WCS.
    fill_value : float
        Value of pixels beyond the image.
    """

    window: Window
    ra: float
    dec: float
    file: str
    form: Literal["asdf", "fits"]
    day: date
    lite: bool
    fill_value: float

    @classmethod
    def of(cls, part: AsdfPart, form: Literal["asdf", "fits"], day: date, fill_value: float = math.nan) -> Self:
        """The recipe of a cutout."""
        assert part.source is not None
        window, lite = part.source.target.overlap.window, part.source.template is None
        sky = part.sky.icrs
        return cls(window, float(sky.ra.deg), float(sky.dec.deg), shown(part.file), form, day, lite, fill_value)

    def cut(self, location: Location) -> AsdfPart:
        """Cut the window again.

        Raises
        ------
        OSError, TesseraError
            See `tessera.roman.cut.cut_asdf_window`.
        """
        sky = SkyCoord(self.ra, self.dec, unit="deg")
        options = AsdfOptions(self.fill_value, self.lite, {"memmap": True})
        return cut_asdf_window(location, self.file, sky, self.window, options)

    def write(self, part: AsdfPart, version: str) -> bytes:
        """The file of the cutout, without a record, as this version of Tessera names it."""
        if self.form == "asdf":
            return AsdfWriter().write(part)
        hdus = fits_object(part, self.day, AsdfWriter(meta_only=True).write(part))
        hdus[0].header["PROCVER"] = version
        return file_bytes(hdus)

    def with_record(self, content: bytes, origin: Origin) -> bytes:
        """Add the record to the file."""
        describe = partial(self.record, origin)
        if self.form == "asdf":
            return add_asdf_record(content, describe)
        return b"".join(add_provenance([content], describe))

    def record(self, origin: Origin, data: dict[str, Any]) -> Record:
        """The record of a cutout; `data` is what it says of its file."""
        return Record("ASDF image cutout", __version__, asdict(origin), self.document, data)

    @property
    def document(self) -> dict[str, Any]:
        """The recipe as a document of JSON."""
        kept = {"window": asdict(self.window), "date": self.day.isoformat(), "fill_value": to_number(self.fill_value)}
        return {name: value for name, value in vars(self).items() if name != "day"} | kept

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` wrote."""
        given = dict(document)
        window, day = Window(**given.pop("window")), date.fromisoformat(given.pop("date"))
        return cls(window=window, day=day, fill_value=from_number(given.pop("fill_value")), **given)
